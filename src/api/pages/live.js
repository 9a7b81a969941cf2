// Filters, which stand in the address, and the connection to the stream of events.

const kSilence = 45000;  // ms without a heartbeat after which the connection counts as lost
const kTyping = 250;     // ms after a key before a filter that is typed applies
const kFilters = ['stream', 'schema', 'outcome', 'text', 'reason', 'path', 'since', 'until', 'canary'];

const filters = {};
let lastId = '';          // of the last event or heartbeat
let lastNumber = 0;
let base = '';            // the id from which on the list is filled: of the last event before Clear
let clearedAt = null;
let dropped = 0;
let isReading = false;    // a stream of events is connected
let typingTimer = 0;

// --- Filters

// What is typed is a part of a name, unless it is a name that there is or has a `*`.
function namePattern(typed, id) {
  const text = typed.trim();
  if (!text || text.includes('*')) return text;
  return [...at(id).children].some((option) => option.value === text) ? text : '*' + text + '*';
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  kFilters.forEach((name) => { filters[name] = query.get(name) || ''; });
}

function writeAddress() {
  const address = new URL(location.href);
  kFilters.forEach((name) => {
    if (filters[name]) address.searchParams.set(name, filters[name]); else address.searchParams.delete(name);
  });
  history.replaceState(null, '', address);
}

function showFilters() {
  ['stream', 'schema', 'text', 'outcome'].forEach((id) => {
    const field = at(id);
    if (field !== document.activeElement && field.value !== filters[id]) field.value = filters[id];
  });
  at('canary').checked = filters.canary === 'true';
  const chips = [];
  const addChip = (text, change) => {
    const chip = makeButton(text + ' \u2715', '', () => setFilter(change));
    chip.setAttribute('aria-label', 'Remove the filter ' + text);
    chips.push(chip);
  };
  if (filters.reason || filters.path) addChip((filters.reason + ' ' + filters.path).trim(), {reason: '', path: ''});
  if (filters.since || filters.until) {
    const time = (text) => text ? localTime(new Date(text)).slice(0, 8) : '';
    addChip(time(filters.since) + ' \u2013 ' + time(filters.until), {since: '', until: ''});
  }
  at('chips').replaceChildren(...chips);
  drawSide();
}

// Applies changed filters: the gate is asked for all that it keeps and that they let through.
function setFilter(change) {
  if (Object.entries(change).every(([name, value]) => filters[name] === value)) return;
  Object.assign(filters, change);
  writeAddress();
  showFilters();
  lastId = base;
  emptyList();
  watch();
}

const isFiltered = () => kFilters.some((name) => filters[name]);

// What the empty list says, and what to do about it.
function showEmpty() {
  const empty = at('empty');
  const kind = shown.length ? '' : !isReading ? 'connecting' : waitingCount ? 'waiting' : isFiltered() ? 'filtered' : clearedAt ? 'cleared' : 'none';
  const known = summary && summary.streams.find((row) => row.declared && row.schema_title);
  const key = kind + (kind === 'none' && known ? known.stream : '');
  if (empty.dataset.key === key) return;
  empty.dataset.key = key;
  empty.hidden = kind === '';
  const parts = [];
  if (kind === 'filtered') {
    parts.push(make('h3', 'Nothing that is kept passes the filter'), make('p', 'The gate keeps the last events only: 64 KB of them, or 1 MB while ' +
      'somebody has looked on in the last 5 minutes. New ones that pass the filter appear here.'),
    makeButton('Remove all filters', '', () => setFilter(Object.fromEntries(kFilters.map((name) => [name, ''])))));
  } else if (kind === 'cleared') {
    parts.push(make('h3', 'Cleared at ' + localTime(clearedAt).slice(0, 8)), make('p', 'Events from then on appear here.'),
      makeButton('Show what the gate still keeps', '', () => {
        base = lastId = '';
        clearedAt = null;
        watch();
      }));
  } else if (kind === 'none') {
    const stream = known ? known.stream : 'STREAM';
    const title = known ? known.schema_title : 'SCHEMA_TITLE';
    const event = JSON.stringify({$schema: '/' + title + '/1.0.0', meta: {stream}});
    const command = make('pre', curlCommand('POST', eventsUri([], false), {'Content-Type': 'application/json'}, event));
    command.tabIndex = 0;
    command.setAttribute('role', 'region');
    command.setAttribute('aria-label', 'A command that posts an event');
    parts.push(make('h3', 'No event has come yet'), make('p', 'Events appear here as they come, accepted or not, each with the reason. Post one:'),
      command, makeButton('Send an event from here', '', compose));
  }
  empty.replaceChildren(...parts);
}

// --- The connection

function receive({event, id, data}) {
  if (id) {
    if (lastId && id.split('-')[0] !== lastId.split('-')[0]) {
      // Another run of the gate counts anew.
      base = '';
      if (isPaused) pausedAfter = -1;
    }
    lastId = id;
    lastNumber = Number(id.split('-')[1]);
  }
  if (!data) return null;
  const content = JSON.parse(data);
  if (event === 'reset') {
    base = '';
    emptyList();
    return null;
  }
  if (event === 'dropped') {
    dropped += content.dropped;
    at('dropped').hidden = false;
    setText(at('dropped'), counted(dropped) +
      ' events were missed: they came faster than they could be shown, or while there was no connection.');
    return null;
  }
  content.id = id;
  content.number = lastNumber;
  content.request = id.split('-')[0] + '-' + content.request;
  return content;
}

const source = {
  silence: kSilence,
  request() {
    const query = new URLSearchParams();
    kFilters.forEach((name) => { if (filters[name]) query.append(name, filters[name]); });
    return {path: 'v1/live?' + query, id: lastId};
  },
  opened() {
    at('access').hidden = true;
    isReading = true;
  },
  taken(events) { take(events.map(receive).filter(Boolean)); },
  refused(status) {
    if (status !== 401) return;
    at('access').hidden = false;
    sessionStorage.removeItem(kTokenKey);
  },
};

const watch = () => follow(source);

at('access').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(kTokenKey, at('token').value);
  at('token').value = '';
  watch();
});
const typedFilters = () => setFilter({stream: namePattern(at('stream').value, 'streams'), schema: namePattern(at('schema').value, 'schemas'),
  text: at('text').value.trim()});
['stream', 'schema', 'text'].forEach((id) => {
  at(id).addEventListener('input', () => {
    clearTimeout(typingTimer);
    typingTimer = setTimeout(typedFilters, kTyping);
  });
  at(id).addEventListener('change', () => {
    clearTimeout(typingTimer);
    typedFilters();
  });
});
at('outcome').addEventListener('change', () => setFilter({outcome: at('outcome').value}));
at('canary').addEventListener('change', () => setFilter({canary: at('canary').checked ? 'true' : ''}));
at('clear').addEventListener('click', () => {
  base = lastId;
  clearedAt = new Date();
  dropped = 0;
  at('dropped').hidden = true;
  emptyList();
  // Events that the filter holds back are cleared, too.
  fetchText('v1/live/summary', 'application/json').then((text) => {
    const {epoch, last} = JSON.parse(text);
    if (clearedAt && base.split('-')[0] === String(epoch)) base = epoch + '-' + last;
  }).catch(() => { /* the connection says so */ });
});
if (matchMedia('(max-width: 60rem)').matches) ['rail-streams', 'rail-reasons'].forEach((id) => { at(id).open = false; });
readAddress();
showFilters();
showEmpty();
watch();
poll();
