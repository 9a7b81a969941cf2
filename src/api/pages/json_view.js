// JSON as lines that fold, in colours: `showJson(element, text, {added, errors})`. Numbers and strings stay as they are
// written. Without recursion, because the text may be nested as deep as it likes.

const kLinesAtOnce = 400;

// The lines of a JSON text: {depth, label, text, close, path, marked, tag, end}. `label` is the key as written, `path`
// the place as AJV writes it, `end` the number of the line that closes what this line opens. Throws if it is no JSON.
function jsonLines(text, added) {
  const lines = [];
  const token = /[ \t\r\n]*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^ \t\r\n"{}[\],:]+)/gys;
  let start = 0;
  const next = () => {
    const found = token.exec(text);
    if (!found) throw new Error('no JSON');
    start = token.lastIndex - found[1].length;
    return found[1];
  };
  const isAdded = () => added.some(([begin, end]) => begin <= start && start < end);
  const open = [];  // what is not closed yet
  const closes = {'{': '}', '[': ']'};
  let first = next();
  let label = '';
  let path = '';
  let marked = false;
  let tag = false;
  for (;;) {
    // A value begins with the token `first`.
    if (!/^["{[\-\dtfn]/.test(first)) throw new Error('no JSON');
    const line = {depth: open.length, label, text: first, close: '', path, marked, tag};
    lines.push(line);
    let token1;
    if (closes[first]) {
      token1 = next();
      if (token1 !== closes[first]) {
        open.push({line, number: lines.length - 1, object: first === '{', count: 0});
      } else {
        line.text += token1;
        token1 = undefined;
      }
    }
    // What follows a value: commas and the ends of what is open, up to the next value.
    while (token1 === undefined) {
      if (open.length === 0) {
        if (text.slice(token.lastIndex).trim()) throw new Error('no JSON');
        return lines;
      }
      const inside = open[open.length - 1];
      const after = next();
      if (after === ',') {
        lines[lines.length - 1].close += ',';
        token1 = next();
      } else if (after === (inside.object ? '}' : ']')) {
        open.pop();
        inside.line.end = lines.length;
        inside.line.children = inside.count + 1;
        lines.push({depth: open.length, label: '', text: after, close: '', marked: inside.line.marked});
      } else {
        throw new Error('no JSON');
      }
    }
    const inside = open[open.length - 1];
    const parent = inside.line;
    if (token1 !== undefined && lines[lines.length - 1] !== parent) ++inside.count;
    if (inside.object) {
      if (!token1.startsWith('"')) throw new Error('no JSON');
      const here = isAdded();
      label = token1 + ': ';
      path = parent.path + jsonProperty(token1);
      marked = parent.marked || here;
      tag = here && !parent.marked;
      if (next() !== ':') throw new Error('no JSON');
      first = next();
    } else {
      label = '';
      path = parent.path + '[' + inside.count + ']';
      marked = parent.marked;
      tag = false;
      first = token1;
    }
  }
}

// A key, as AJV writes it in a path.
function jsonProperty(key) {
  let name = key.slice(1, -1);
  try { name = JSON.parse(key); } catch { /* as it is written */ }
  if (/^[a-zA-Z$_][\w$]*$/.test(name)) return '.' + name;
  const escapes = {'\n': '\\n', '\r': '\\r', '\f': '\\f', '\t': '\\t'};
  return "['" + name.replace(/['\\]/g, '\\$&').replace(/[\n\r\f\t]/g, (c) => escapes[c]) + "']";
}

function jsonIndent(depth) { return (1.5 + depth * 1.1) + 'rem'; }

function jsonNote(error, depth, where) {
  const text = where ? (error.dataPath || 'The event') + ' ' + error.message : error.message;
  const note = make('span', '\u26a0 ' + text + '  (' + error.schemaPath + ')', 'note');
  note.style.paddingLeft = jsonIndent(depth);
  if (error.hint) note.append(make('span', error.hint, 'hint'));
  return note;
}

function jsonLine(line) {
  const element = make(line.marked ? 'ins' : 'span', undefined, 'line');
  element.style.paddingLeft = jsonIndent(line.depth);
  if (line.label) element.append(make('span', line.label.slice(0, -2), 'key'), ': ');
  const kind = {'"': 'string', '{': '', '[': '', '}': '', ']': '', 't': 'word', 'f': 'word', 'n': 'word'}[line.text[0]];
  if (kind === '') {
    element.append(line.text);
  } else {
    element.append(make('span', line.text, kind || 'number'));
  }
  element.append(line.close);
  if (line.tag) element.append(make('span', 'added by the gate', 'tag'));
  return element;
}

// Shows `text` in `element`, with each of `errors` below the value that it is about. Text that is no JSON is shown as it
// is.
function showJson(element, text, {added = [], errors = []} = {}) {
  element.replaceChildren();
  let lines;
  try {
    lines = jsonLines(text, added);
  } catch {
    errors.forEach((error) => element.append(jsonNote(error, 0, true)));
    element.append(make('span', text, 'line plain'));
    element.lastChild.style.paddingLeft = jsonIndent(0);
    return false;
  }
  const byPath = new Map();
  errors.forEach((error) => byPath.set(error.dataPath, [...(byPath.get(error.dataPath) || []), error]));
  const paths = new Set(lines.map((line) => line.path));
  errors.filter((error) => !paths.has(error.dataPath)).forEach((error) => element.append(jsonNote(error, 0, true)));
  const folded = new Set();  // numbers of lines whose content is hidden
  const parts = [];          // of each line: its elements
  const isHidden = (number) => [...folded].some((fold) => fold < number && number < lines[fold].end);
  const hide = () => parts.forEach((all, number) => all.forEach((part) => { part.hidden = isHidden(number); }));
  const addFold = (shown, line, number) => {
    const rest = make('span', ' \u2026 ' + line.children + (line.text === '{' ? ' members' : ' elements') + ' ', 'quiet');
    rest.hidden = true;
    const button = makeButton('\u25be', 'fold', () => {
      const folds = !folded.has(number);
      if (folds) folded.add(number); else folded.delete(number);
      button.textContent = folds ? '\u25b8' : '\u25be';
      button.setAttribute('aria-expanded', String(!folds));
      rest.hidden = !folds;
      hide();
    });
    button.setAttribute('aria-expanded', 'true');
    button.setAttribute('aria-label', 'Content of ' + (line.path || 'the whole'));
    shown.append(rest);
    shown.prepend(button);
  };
  const more = makeButton('', '', () => addLines());
  const addLines = () => {
    more.remove();
    const from = parts.length;
    const to = Math.min(lines.length, from + (from === 0 ? kLinesAtOnce : 2000));
    for (let number = from; number < to; ++number) {
      const line = lines[number];
      const shown = jsonLine(line);
      if (line.end !== undefined && number > 0) addFold(shown, line, number);
      const notes = line.path === undefined ? [] : (byPath.get(line.path) || []).map((error) => jsonNote(error, line.depth, false));
      parts.push([shown, ...notes]);
      element.append(shown, ...notes);
    }
    if (folded.size) hide();
    if (to === lines.length) return;
    more.textContent = 'Show ' + counted(lines.length - to) + ' more lines';
    element.append(more);
  };
  addLines();
  return true;
}
