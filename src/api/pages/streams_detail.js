// One event: its text, its schema, and commands that read it, or what the page reads, elsewhere.

let specification = null;  // the OpenAPI document, which has the schemas of the streams: there, or on the way

const selectTab = tabs(at('tabs'), (tab) => { if (tab.id === 'tab-schema') showSchema(); });

// The declared stream, of those that are read, that has the event.
function streamOf(event) {
  const {topic, stream} = told(event);
  const has = (name) => wanted.streams.includes(name) && (listed.get(name) || {topics: []}).topics.includes(topic);
  return has(stream) ? stream : wanted.streams.find(has) || stream;
}

function showFacts(event) {
  const about = told(event);
  at('facts').replaceChildren();
  const time = about.time || event.came;
  const shownTime = make('span', time.toLocaleDateString() + ' ' + localTime(time));
  shownTime.title = time.toISOString();
  addFact(about.time ? 'Time' : 'Came', shownTime);
  if (about.topic) addFact('Topic', about.topic);
  if (event.kind === 'gap') {
    addFact('Partition', String(about.partition));
    addFact('Gone', 'offsets ' + about.from + ' to ' + (about.to - 1) + '. The stream goes on at ' + about.to + '.');
    return;
  }
  if (about.topic) addFact('Partition, offset', about.partition + ', ' + about.offset);
  if (about.stream) addFact('Stream', about.stream);
  if (!about.schema) return;
  addFact('Schema', about.schema, makeButton('Show it', '', () => selectTab(at('tab-schema'), true)));
}

// --- Commands

// A command that reads with curl. The token is the shell's variable, so it is in no history.
function readingCommand(path, lines) {
  const headers = lines ? " -H 'Accept: application/json'" : '';
  const token = sessionStorage.getItem(kTokenKey) ? ' -H "Authorization: Bearer $EVENTGATE_STREAM_TOKEN"' : '';
  return 'curl -sN' + headers + token + ' ' + shellQuoted(new URL(path, location.origin).href);
}

function sourceSnippet(path) {
  return 'const source = new EventSource(' + JSON.stringify(new URL(path, location.origin).href) + ');\n' +
    'source.onmessage = ({data}) => {\n  const event = JSON.parse(data);\n  console.log(event.meta.topic, event.meta.offset, event);\n};\n' +
    "source.addEventListener('gap', ({data}) => console.warn('Events are gone:', data));\n" +
    "source.addEventListener('end', () => source.close());";
}

function showCommands() {
  const event = opened;
  const isEvent = event !== null && event.kind === 'event' && told(event).topic !== '';
  at('curl-one-part').hidden = !isEvent;
  if (isEvent) {
    const {topic, partition, offset, isCanary} = told(event);
    const query = new URLSearchParams({last_event_id: JSON.stringify([{topic, partition, offset}]), limit: '1'});
    if (isCanary) query.append('canary', 'true');
    setText(at('curl-one'), readingCommand(streamPath([streamOf(event)], query), true));
  }
  const path = streamPath(wanted.streams.length ? wanted.streams : ['STREAM'], queryOf(wanted));
  setText(at('curl'), readingCommand(path, false));
  setText(at('source'), sourceSnippet(path));
  at('source-note').hidden = !sessionStorage.getItem(kTokenKey);
}

// --- The schema

async function schemaOf(stream) {
  if (!specification) {
    specification = fetchText(kBase + '?spec', 'application/json').then((text) => JSON.parse(text).paths);
    specification.catch(() => { specification = null; });
  }
  const paths = await specification;
  const item = paths['/v2/stream/' + encodeURIComponent(stream)];
  const schema = item && item.get.responses['200'].content['text/event-stream'].schema;
  return schema && Object.keys(schema).length > 1 ? schema : null;
}

async function showSchema() {
  if (!opened || at('tab-schema').getAttribute('aria-selected') !== 'true') return;
  const event = opened;
  const stream = streamOf(event);
  const show = (state, schema) => {
    if (opened !== event) return;
    setText(at('document-state'), state);
    at('fields').hidden = at('whole').hidden = !schema;
    if (!schema) return;
    fillFields(JSON.stringify(schema));
    showJson(at('document'), JSON.stringify(schema));
  };
  show('Reading it.');
  try {
    const schema = await schemaOf(stream);
    if (schema) show('The schema of ' + stream + ' as it is now. The event names ' + (told(event).schema || 'none') + '.', schema);
    else show('The gate knows no schema of ' + stream + '.');
  } catch (error) {
    show('It cannot be shown: ' + error.message + ' (Choose this tab again to try once more.)');
  }
}

// --- Open

function showOpened(title, isEvent) {
  setText(at('detail-title'), title);
  at('facts').hidden = opened === null;
  ['newer', 'older'].forEach((id) => { at(id).hidden = opened === null; });
  at('tab-event').disabled = opened === null;
  at('tab-schema').disabled = !isEvent;
  ['event-copied', 'curl-one-copied', 'curl-copied', 'source-copied'].forEach((id) => setText(at(id), ''));
  showCommands();
  showPane();
}

function open(event) {
  opened = event;
  showFacts(event);
  showJson(at('event'), event.event);
  showOpened(event.kind === 'gap' ? 'Gap' : 'Event', event.kind === 'event');
  const tab = at('tabs').querySelector('[aria-selected=true]');
  selectTab(tab.disabled ? at('tab-event') : tab, false);
  at('detail').scrollTop = 0;
  at('detail').focus({preventScroll: true});
}

at('commands').addEventListener('click', () => {
  opened = null;
  showOpened('Read this elsewhere', false);
  selectTab(at('tab-curl'), true);
});
at('copy-event').addEventListener('click', () => copyText(opened.event, at('event-copied'), at('event')));
['curl-one', 'curl', 'source'].forEach((id) =>
  at('copy-' + id).addEventListener('click', () => copyText(at(id).textContent, at(id + '-copied'), at(id))));
