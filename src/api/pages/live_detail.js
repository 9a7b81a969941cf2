// One event: what became of it, its text, its schema, and commands that send it again.

const documents = new Map();  // of schemas, by what is asked for: there, or on the way

const selectTab = tabs(at('tabs'), (tab) => {
  if (tab.id === 'tab-schema') showSchema();
  if (tab.id === 'tab-send') prepareSend();
});
const isTabShown = (name) => at('tab-' + name).getAttribute('aria-selected') === 'true';

// The event as it was posted: without what the gate added.
function posted(event) {
  let text = '';
  let from = 0;
  event.added.forEach(([begin, end]) => {
    text += event.event.slice(from, begin);
    from = end;
  });
  return text + event.event.slice(from);
}

function eventsUri(query, hasty) {
  const uri = new URL('v1/events', location.href);
  uri.search = '';
  query.forEach(([name, value]) => uri.searchParams.append(name, value));
  if (hasty) uri.searchParams.append('hasty', 'true');
  return uri.href;
}

function onlyButton(what, change) {
  const button = makeButton('only', '', () => setFilter(change));
  button.setAttribute('aria-label', 'Show only this ' + what);
  return button;
}

function showFacts(event) {
  at('facts').replaceChildren();
  const time = make('span', new Date(event.received_at).toLocaleDateString() + ' ' + localTime(new Date(event.received_at)));
  time.title = event.received_at;
  addFact('Received', time);
  if (event.stream) addFact('Stream', event.stream, onlyButton('stream', {stream: event.stream}));
  if (event.schema_uri) addFact('Schema', event.schema_uri, onlyButton('schema', {schema: event.schema_uri}));
  if (event.of > 1) addFact('Request', 'event ' + (event.index + 1) + ' of ' + event.of);
  if (event.hasty) addFact('Asked for', 'hasty: answered 202 before it was validated');
  if (event.message) addFact('Why', event.message);
  const hints = [...new Set((event.errors || []).map((error) => error.hint).concat(event.hint).filter(Boolean))];
  hints.slice(0, 5).forEach((hint) => addFact('Hint', String(hint)));
  if (event.cause) addFact('Cause', event.cause);
  if (event.delivery) addFact('Delivery', event.delivery + (event.retry === false ? ', and sending it again is of no use' : ''));
}

function showKafka(event) {
  const facts = [['Topic', event.topic || 'none'], ['Key', event.key || 'none']];
  facts.push(['Partition', event.offset === undefined ? 'not known' : String(event.partition)]);
  facts.push(['Offset', event.offset === undefined ? 'not known' : String(event.offset)]);
  at('kafka').replaceChildren(...facts.flatMap(([name, text]) => [make('dt', name), make('dd', text)]));
  at('kafka-command').hidden = event.offset === undefined;
  at('kafka-command').textContent = event.offset === undefined ? '' : 'kcat -C -b BROKER -t ' + shellQuoted(event.topic) + ' -p ' +
    event.partition + ' -o ' + event.offset + ' -c 1';
}

function showEvent(event) {
  const isEvent = event.outcome !== 'rejected';
  setText(at('tab-event'), isEvent ? 'Event' : 'Reply');
  ['sent', 'curl', 'fetch', 'kafka'].forEach((name) => { at('tab-' + name).disabled = !isEvent || Boolean(event.cut); });
  at('tab-kafka').disabled = !event.topic;
  at('tab-schema').disabled = !event.schema_uri;
  at('event-note').hidden = isEvent && !event.cut;
  setText(at('event-note'), !isEvent ? 'The request was refused whole, before its events were looked at. The reply:' :
    event.cut ? 'Cut: it is too long to be kept whole.' : '');
  showJson(at('event'), event.event, {added: event.cut ? [] : event.added, errors: event.errors});
  if (!isEvent || event.cut) return;
  const text = posted(event);
  showJson(at('sent'), text);
  const headers = {'Content-Type': 'application/json'};
  const uri = eventsUri(event.query || [], event.hasty);
  setText(at('curl'), curlCommand('POST', uri, headers, text));
  setText(at('fetch'), fetchCommand('POST', uri, headers, text));
  showKafka(event);
}

// --- The schema

// The document that `query` asks for, as the gate writes it out.
function fetchDocument(query) {
  const key = String(new URLSearchParams(query));
  if (!documents.has(key)) {
    const reading = fetchReply('v1/live/schema?' + key, 'application/json');
    reading.catch(() => documents.delete(key));
    documents.set(key, reading);
  }
  return documents.get(key);
}

// The same, read anew: its file may have changed since.
function fetchDocumentAnew(query) {
  documents.delete(String(new URLSearchParams(query)));
  return fetchDocument(query);
}

async function showSchema() {
  if (!opened || !opened.schema_uri || !isTabShown('schema')) return;
  const event = opened;
  const show = (state, text) => {
    if (opened !== event) return;
    setText(at('document-state'), state);
    at('fields').hidden = at('whole').hidden = text === undefined;
    if (text === undefined) return;
    fillFields(text);
    showJson(at('document'), text);
  };
  show('Reading it.');
  try {
    const {text, headers} = await fetchDocumentAnew({uri: event.schema_uri});
    const changed = headers.get('x-eventgate-schema-changed') === 'true';
    show(event.schema_uri + ', as the gate read it for this page, with each $ref replaced by what it leads to.' +
      (changed ? ' The file has changed since the gate loaded the schema by which it checks events.' : ''), text);
  } catch (error) {
    show('It cannot be shown: ' + error.message + ' (Choose this tab again to try once more.)');
  }
}

// --- Open

function open(event) {
  opened = event;
  setText(at('detail-title'), event.outcome === 'rejected' ? 'Request refused whole' : 'Event ' + event.outcome);
  at('detail-title').className = event.outcome;
  at('facts').hidden = false;
  showFacts(event);
  showEvent(event);
  ['curl-copied', 'fetch-copied'].forEach((id) => setText(at(id), ''));
  const tab = at('tabs').querySelector('[aria-selected=true]');
  const stays = !tab.disabled && tab.id !== 'tab-send';
  selectTab(stays ? tab : at('tab-event'), false);
  ['newer', 'older'].forEach((id) => { at(id).hidden = false; });
  showPane();
  at('detail').scrollTop = 0;
  at('detail').focus({preventScroll: true});
}

// The pane without an event, to send one.
function compose() {
  opened = null;
  setText(at('detail-title'), 'Send an event');
  at('detail-title').className = '';
  at('facts').hidden = true;
  ['event', 'sent', 'schema', 'curl', 'fetch', 'kafka'].forEach((name) => { at('tab-' + name).disabled = true; });
  ['newer', 'older'].forEach((id) => { at(id).hidden = true; });
  showPane();
  selectTab(at('tab-send'), false);
  at('send-body').focus();
}

at('compose').addEventListener('click', compose);
at('copy-curl').addEventListener('click', () => copyText(at('curl').textContent, at('curl-copied'), at('curl')));
at('copy-fetch').addEventListener('click', () => copyText(at('fetch').textContent, at('fetch-copied'), at('fetch')));
