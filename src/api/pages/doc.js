// The page of the interface: each route of the OpenAPI document (`?spec`) with samples, and a form that tries it.

// Text in which `code` is marked as in the document.
function prose(name, text) {
  const element = make(name);
  (text || '').split('`').forEach((part, i) => element.append(i % 2 ? make('code', part) : part));
  return element;
}

function table(heads, rows) {
  const element = make('table');
  const head = element.createTHead().insertRow();
  heads.forEach((text) => {
    const cell = make('th', text);
    cell.scope = 'col';
    head.append(cell);
  });
  const body = element.createTBody();
  rows.forEach((cells) => {
    const row = body.insertRow();
    cells.forEach((cell) => row.insertCell().append(cell));
  });
  return element;
}

function resolved(spec, object) {
  if (!object || !object.$ref) return object;
  return object.$ref.slice(2).split('/').reduce((place, key) => place[key], spec);
}

function schemaName(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.oneOf) return schema.oneOf.map(schemaName).join(' or ');
  if (schema.type === 'array') return 'array of ' + schemaName(schema.items);
  return schema.type || 'anything';
}

function contents(content) {
  return Object.entries(content || {}).map(([type, media]) => type + (media.schema ? ': ' + schemaName(media.schema) : '')).join('; ');
}

// The tabs of a route's samples: a button and a panel for each language.
function sampleTabs(id) {
  const list = make('div');
  list.setAttribute('role', 'tablist');
  list.setAttribute('aria-label', 'Samples');
  const panels = {};
  const parts = [list];
  ['curl', 'fetch', 'Python'].forEach((name, place) => {
    const tab = makeButton(name);
    tab.id = id + '-tab-' + name;
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-controls', id + '-sample-' + name);
    tab.setAttribute('aria-selected', String(place === 0));
    tab.tabIndex = place === 0 ? 0 : -1;
    list.append(tab);
    const panel = make('pre');
    panel.id = id + '-sample-' + name;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', tab.id);
    panel.tabIndex = 0;
    panel.hidden = place !== 0;
    panels[name] = panel;
    parts.push(panel);
  });
  tabs(list, () => {});
  return {parts, panels};
}

// What the form of a route says: {uri, headers, body}.
function requestOf(path, fields, body) {
  let target = path;
  const query = new URLSearchParams();
  const headers = {};
  fields.forEach(({parameter, input}) => {
    if (parameter.in === 'path') target = target.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
    if (!input.value) return;
    if (parameter.in === 'query') query.append(parameter.name, input.value);
    if (parameter.in === 'header') headers[parameter.name] = input.value;
  });
  const uri = new URL(target.slice(1), location.href.split('?')[0]);
  uri.search = query;
  if (body) headers['Content-Type'] = 'application/json';
  return {uri: uri.href, headers, body: body ? body.value : undefined};
}

async function tryOut(method, {uri, headers, body}, state, shown) {
  setText(state, 'Sending.');
  shown.hidden = true;
  const abort = new AbortController();
  // A stream has no end: what it sends first is enough.
  const timer = setTimeout(() => abort.abort(), 5000);
  try {
    const reply = await fetch(uri, {method, headers, body, cache: 'no-store', credentials: 'omit', signal: abort.signal});
    setText(state, reply.status + ' ' + reply.statusText);
    let text = '';
    const reader = reply.body && reply.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      while (reader && text.length < 200000) {
        const {value, done} = await reader.read();
        if (done) break;
        text += value;
        if ((reply.headers.get('content-type') || '').startsWith('text/event-stream')) break;
      }
    } catch { /* it is shown as far as it came */ }
    shown.hidden = text === '';
    showJson(shown, text);
  } catch (error) {
    setText(state, 'No answer: ' + error.message);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

// The form that tries a route. Its fields are in the samples, too.
function tryForm(id, path, method, described) {
  const form = make('form', undefined, 'try');
  const bar = make('div', undefined, 'bar');
  const fields = (described.parameters || []).map((parameter) => {
    const label = make('label', parameter.name);
    const input = make('input');
    const example = parameter.example === undefined ? parameter.schema && parameter.schema.example : parameter.example;
    input.value = parameter.required && example !== undefined ? example : '';
    if (example !== undefined) input.placeholder = example;
    input.spellcheck = false;
    if (parameter.name === 'Authorization') input.autocomplete = 'off';
    label.append(input);
    bar.append(label);
    return {parameter, input};
  });
  let body = null;
  form.append(bar);
  if (described.requestBody) {
    const media = described.requestBody.content['application/json'];
    body = make('textarea');
    body.rows = 8;
    body.spellcheck = false;
    body.value = media && media.example ? JSON.stringify(media.example, null, 2) : '';
    const label = make('label', 'Body');
    label.append(body);
    form.append(label);
  }
  const submit = make('button', 'Send', 'primary');
  const state = make('p');
  state.setAttribute('role', 'status');
  const reply = make('div', undefined, 'json');
  reply.hidden = true;
  reply.tabIndex = 0;
  reply.setAttribute('role', 'region');
  reply.setAttribute('aria-label', 'The reply of ' + method.toUpperCase() + ' ' + path);
  const last = make('div', undefined, 'bar');
  last.append(submit, state);
  form.append(last, reply);

  const {parts, panels} = sampleTabs(id);
  const showSamples = () => {
    const {uri, headers, body: text} = requestOf(path, fields, body);
    const name = method.toUpperCase();
    setText(panels.curl, curlCommand(name, uri, headers, text));
    setText(panels.fetch, fetchCommand(name, uri, headers, text));
    setText(panels.Python, pythonCommand(name, uri, headers, text));
  };
  form.addEventListener('input', showSamples);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    tryOut(method.toUpperCase(), requestOf(path, fields, body), state, reply);
  });
  showSamples();
  return [...parts, make('h4', 'Try it'), form];
}

function route(spec, path, method, operation) {
  const described = {...operation, parameters: operation.parameters && operation.parameters.map((parameter) => resolved(spec, parameter))};
  const id = described.operationId;
  const element = make('section', undefined, 'route');
  element.id = id;
  const title = make('h3');
  title.id = id + '-title';
  element.setAttribute('aria-labelledby', title.id);
  const anchor = make('a', '#');
  anchor.href = '?doc#' + id;
  anchor.setAttribute('aria-label', 'Link to ' + method.toUpperCase() + ' ' + path);
  title.append(make('span', method.toUpperCase(), 'method ' + method), make('code', path), anchor);
  element.append(title, prose('p', described.summary));
  if (described.description) element.append(prose('p', described.description));
  if (described.parameters) {
    element.append(make('h4', 'Parameters'), table(['Name', 'In', 'Description'], described.parameters.map(
      (parameter) => [make('code', parameter.name), parameter.in + (parameter.required ? ', required' : ''), prose('span', parameter.description)])));
  }
  if (described.requestBody) element.append(make('h4', 'Body'), make('p', contents(described.requestBody.content)));
  element.append(make('h4', 'Answers'), table(['Status', 'Meaning', 'Body'], Object.entries(described.responses).map(
    ([status, response]) => {
      const answer = resolved(spec, response);
      return [make('code', status), prose('span', answer.description), contents(answer.content)];
    })));
  if (method !== 'options') element.append(make('h4', 'Samples'), ...tryForm(id, path, method, described));
  return element;
}

function show(spec) {
  setText(at('title'), spec.info.title + ' ' + spec.info.version);
  at('about').replaceChildren(...prose('span', spec.info.description).childNodes);
  spec.tags.forEach((tag) => {
    at('index').append(make('h2', tag.name));
    at('routes').append(make('h2', tag.name), prose('p', tag.description));
    Object.entries(spec.paths).forEach(([path, methods]) => Object.entries(methods).forEach(([method, described]) => {
      if (!described.tags.includes(tag.name)) return;
      at('routes').append(route(spec, path, method, described));
      const link = make('a');
      link.href = '?doc#' + described.operationId;
      link.append(make('span', method.toUpperCase(), 'method'), path);
      at('index').append(link);
    }));
  });
  at('index').append(make('h2', 'Schemas'));
  ['shipped', 'components'].forEach((id) => {
    const link = make('a', at(id + '-title').textContent);
    link.href = '?doc#' + id;
    at('index').append(link);
  });
  Object.entries(spec.components.schemas).forEach(([name, schema]) => {
    const element = make('details');
    const view = make('div', undefined, 'json');
    view.tabIndex = 0;
    view.setAttribute('role', 'region');
    view.setAttribute('aria-label', 'Schema ' + name);
    element.append(make('summary', name), view);
    element.addEventListener('toggle', () => { if (!view.firstChild) showJson(view, JSON.stringify(schema)); });
    at('components').append(element);
  });
  // The place that the address names is here only now.
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) target.scrollIntoView();
}

fetchText('?spec', 'application/json').then((text) => show(JSON.parse(text))).catch((error) => {
  setText(at('about'), 'The description could not be read: ' + error.message);
});
