// What the pages share. A text of an event, a schema or a reply becomes text of the page only: nothing here makes
// markup of a string.

// The page's token is kept for the tab. `data-token` of the body is the option that the gate compares it with.
const kTokenKey = 'eventgate.' + document.body.dataset.token;

const at = (id) => document.getElementById(id);

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function makeButton(text, className, action) {
  const button = make('button', text, className);
  button.type = 'button';
  if (action) button.addEventListener('click', action);
  return button;
}

function setText(element, text) { if (element.textContent !== text) element.textContent = text; }

// The headers of a request to a route that may want the token.
function headersFor(accept) {
  const headers = {accept};
  const token = sessionStorage.getItem(kTokenKey);
  if (token) headers.authorization = 'Bearer ' + token;
  return headers;
}

// The text and the headers of a reply. Throws with the gate's reason if there is none.
async function fetchReply(path, accept) {
  let reply;
  let text;
  try {
    reply = await fetch(path, {headers: headersFor(accept), cache: 'no-store', credentials: 'omit'});
    text = await reply.text();
  } catch {
    throw new Error('The gate does not answer.');
  }
  if (reply.ok) return {text, headers: reply.headers};
  let detail = 'The gate answered with status ' + reply.status + '.';
  try { detail = JSON.parse(text).detail || detail; } catch { /* something between it and here answered */ }
  throw Object.assign(new Error(detail), {status: reply.status});
}

async function fetchText(path, accept) { return (await fetchReply(path, accept)).text; }

// Copies `text`, and says so in `said`. Where the browser does not allow it, `shown` is selected.
async function copyText(text, said, shown) {
  try {
    await navigator.clipboard.writeText(text);
    setText(said, 'Copied.');
  } catch {
    getSelection().selectAllChildren(shown);
    setText(said, 'The browser does not allow copying: the text is selected.');
  }
}

const two = (number) => String(number).padStart(2, '0');

// A time of the reader's own clock: 14:03:05.123.
function localTime(date) {
  return two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds()) + '.' +
    String(date.getMilliseconds()).padStart(3, '0');
}

function counted(number) { return Number(number).toLocaleString('en'); }

// How long ago: 5 s, 3 min, 2 h, 4 d.
function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  return seconds < 86400 ? Math.floor(seconds / 3600) + ' h' : Math.floor(seconds / 86400) + ' d';
}

// Tabs: the buttons of `list` show the panels that they control. Arrow keys go from one to the next.
function tabs(list, shown) {
  const all = () => [...list.querySelectorAll('[role=tab]')];
  const select = (tab, focus) => {
    all().forEach((other) => {
      const selected = other === tab;
      other.setAttribute('aria-selected', String(selected));
      other.tabIndex = selected ? 0 : -1;
      at(other.getAttribute('aria-controls')).hidden = !selected;
    });
    if (focus) tab.focus();
    shown(tab);
  };
  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (tab && !tab.disabled) select(tab, false);
  });
  list.addEventListener('keydown', (event) => {
    const enabled = all().filter((tab) => !tab.disabled && !tab.hidden);
    const place = enabled.indexOf(event.target);
    const last = enabled.length - 1;
    const next = {ArrowRight: place === last ? 0 : place + 1, ArrowLeft: place === 0 ? last : place - 1, Home: 0, End: last}[event.key];
    if (place < 0 || next === undefined) return;
    event.preventDefault();
    select(enabled[next], true);
  });
  return select;
}

// Makes `parent` have a row for each of `rows`, by their keys, in this order. Rows that stay are not made again.
function keepRows(parent, rows, makeOne, update) {
  const old = new Map([...parent.children].map((row) => [row.key, row]));
  let next = parent.firstChild;
  rows.forEach((data) => {
    let row = old.get(data.key);
    old.delete(data.key);
    if (!row) {
      row = makeOne(data);
      row.key = data.key;
    }
    update(row, data);
    if (row === next) {
      next = next.nextSibling;
    } else {
      parent.insertBefore(row, next);
    }
  });
  old.forEach((row) => row.remove());
}

// --- Commands that post a body

const shellQuoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function curlCommand(method, uri, headers, body) {
  let command = 'curl -i' + (method === 'GET' ? '' : body === undefined ? ' -X ' + method : '');
  Object.entries(headers).forEach(([name, value]) => { command += ' -H ' + shellQuoted(name + ': ' + value); });
  return command + ' ' + shellQuoted(uri) + (body === undefined ? '' : ' --data-raw ' + shellQuoted(body));
}

function fetchCommand(method, uri, headers, body) {
  const lines = ['const reply = await fetch(' + JSON.stringify(uri) + ', {'];
  if (method !== 'GET') lines.push('  method: ' + JSON.stringify(method) + ',');
  if (Object.keys(headers).length) lines.push('  headers: ' + JSON.stringify(headers) + ',');
  if (body !== undefined) lines.push('  body: ' + JSON.stringify(body) + ',');
  lines.push('});', 'console.log(reply.status, reply.statusText, await reply.text());');
  return lines.join('\n');
}

function pythonCommand(method, uri, headers, body) {
  const text = (value) => JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  const parts = [text(uri)];
  if (body !== undefined) parts.push('data=' + text(body) + '.encode()');
  if (Object.keys(headers).length) parts.push('headers=' + text(headers));
  parts.push('method=' + text(method));
  return 'import urllib.error\nimport urllib.request\n\nrequest = urllib.request.Request(\n    ' + parts.join(',\n    ') +
    ')\ntry:\n    reply = urllib.request.urlopen(request)\nexcept urllib.error.HTTPError as error:\n    reply = error\n' +
    'print(reply.status, reply.reason, reply.read().decode())';
}
