// What is read, which stands in the address, and the connection to the streams.

const kBars = 60;
const kBarSeconds = 5;
const kBase = location.pathname.replace(/v2\/ui\/*$/, '');  // the gate's root, also behind a proxy that adds a prefix
const kPaths = ['meta.domain', 'meta.stream', 'meta.id', 'type', 'title', 'wiki', 'bot', 'user'];

let wanted = {streams: [], since: '', last: '', canary: false, conditions: []};  // conditions: {kind, path, value}
let lastId = '';          // of the last event taken, or of the preamble or a heartbeat behind it
let lastNumber = 0;
let isRunning = true;
let isReading = false;    // events come, or may come
let isFull = false;       // paused, with so much waiting that reading has stopped
let gapCount = 0;
let received = 0;
const bars = new Map();   // from the number of a bar to the events that came in its time

// --- The address

function readAddress() {
  const query = new URLSearchParams(location.search);
  wanted.streams = [...new Set(query.getAll('streams').flatMap((text) => text.split(',')).map((name) => name.trim()).filter(Boolean))];
  wanted.since = query.get('since') || '';
  wanted.last = query.get('last') || '';
  wanted.canary = query.get('canary') === 'true';
  wanted.conditions = [...query].filter(([name]) => /^(match|not)\../.test(name)).map(([name, value]) => {
    const dot = name.indexOf('.');
    return {kind: name.slice(0, dot), path: name.slice(dot + 1), value};
  });
}

// The parameters of a request, in the gate's own words.
function queryOf({since, last, canary, conditions}) {
  const query = new URLSearchParams();
  if (since) query.append('since', since);
  if (last) query.append('last', last);
  if (canary) query.append('canary', 'true');
  conditions.forEach(({kind, path, value}) => query.append(kind + '.' + path, value));
  return query;
}

function streamPath(streams, query) {
  const text = String(query);
  return kBase + 'v2/stream/' + streams.map(encodeURIComponent).join(',') + (text ? '?' + text : '');
}

function writeAddress() {
  const query = queryOf(wanted);
  const text = [wanted.streams.length ? 'streams=' + wanted.streams.map(encodeURIComponent).join(',') : '', String(query)].filter(Boolean).join('&');
  history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
}

// --- What is read

function showWanted() {
  ['since', 'last'].forEach((id) => { if (at(id).value !== wanted[id]) at(id).value = wanted[id]; });
  at('canary').checked = wanted.canary;
  at('chips').replaceChildren(...wanted.conditions.map((condition) => {
    const text = condition.path + (condition.kind === 'not' ? ' is not ' : ' is ') + condition.value;
    const chip = makeButton(text + ' \u2715', '', () => {
      change({conditions: wanted.conditions.filter((other) => other !== condition)});
      at('path').focus();
    });
    chip.setAttribute('aria-label', 'Remove the filter ' + text);
    return chip;
  }));
  drawStreams();
  if (!at('detail').hidden) showCommands();
}

// Reads something else from its own beginning.
function change(changes) {
  wanted = {...wanted, ...changes};
  writeAddress();
  showWanted();
  lastId = '';
  emptyList();
  start();
}

function showRunning() {
  setText(at('start'), isRunning && wanted.streams.length ? 'Stop' : 'Start');
  at('start').disabled = !wanted.streams.length;
  showEmpty();
}

// Goes on where the page was, or begins.
function start() {
  isRunning = true;
  isReading = isFull = false;
  if (wanted.streams.length) {
    say('Connecting.');
    follow(source);
  } else {
    unfollow();
    say('No stream is chosen.');
  }
  showRunning();
}

function stop(why) {
  isRunning = isReading = false;
  unfollow();
  say(why);
  showRunning();
}

// What the empty list says, and what to do about it.
function showEmpty() {
  const empty = at('empty');
  const kind = shown.length ? '' : !wanted.streams.length ? 'none' : !isRunning ? 'stopped' : !isReading ? 'connecting' : waitingCount ? 'waiting' : 'quiet';
  if (empty.dataset.key === kind) return;
  empty.dataset.key = kind;
  empty.hidden = kind === '' || kind === 'connecting';
  const parts = {
    none: () => [make('h3', 'Choose a stream'), make('p', 'The streams are beside the list. Their events appear here as they come. The address keeps what you choose.')],
    stopped: () => [make('h3', 'Stopped'), make('p', 'Start goes on where the page was.')],
    waiting: () => [make('h3', 'Events wait'), make('p', 'Resume shows them.')],
    quiet: () => [make('h3', 'Nothing has come yet'), make('p', 'Events appear here as they come.'),
      makeButton('Show the last 20', '', () => change({last: '20', since: ''})),
      makeButton('Show the last 15 minutes', '', () => change({since: '-15m', last: ''}))],
  }[kind];
  empty.replaceChildren(...(parts ? parts() : []));
}

// --- The connection

function itemOf({event, data}) {
  ++lastNumber;
  return {id: String(lastNumber), number: lastNumber, kind: event === 'gap' ? 'gap' : 'event', event: data, came: new Date()};
}

// Whether what waits, and `items`, leave room for another event, so that the list drops none of them on Resume.
function hasRoom(items) {
  const size = (events) => events.reduce((sum, event) => sum + event.event.length, 0);
  const count = waiting.length + items.length;
  return count === 0 || (count < kKept / 2 && size(waiting) + size(items) < kKeptSize / 2);
}

const source = {
  silence: 3 * Number(document.body.dataset.heartbeat) || 45000,
  request() {
    // The id has every position, so `last` would only be ignored.
    return {path: streamPath(wanted.streams, queryOf(lastId ? {...wanted, last: ''} : wanted)), id: lastId};
  },
  opened() {
    isReading = true;
    showEmpty();
  },
  // While it is paused, no more is taken than the list keeps. What follows comes by the id after Resume.
  taken(events) {
    const items = [];
    for (const event of events) {
      const isShown = event.event === 'message' || event.event === 'gap';
      if (event.data && isShown && isPaused && !hasRoom(items)) {
        isFull = true;
        break;
      }
      if (event.id) lastId = event.id;
      showComments(event.comments);
      if (event.data && event.event === 'end') {
        take(items);
        count(items);
        stop(endText(event.data));
        return false;
      }
      if (event.data && isShown) items.push(itemOf(event));
    }
    count(items);
    if (items.length) take(items);
    if (!isFull) return true;
    isReading = false;
    say('Paused, and so much waits that reading has stopped. Resume goes on where it was.');
    return false;
  },
  refused(status) {
    isRunning = isReading = false;
    showRunning();
    // A private stream is not found without the token.
    if (status === 400) listing.then(() => { if (wanted.streams.some((name) => !listed.has(name))) showToken(true); });
  },
};

function endText(data) {
  try { return 'The stream has ended: ' + JSON.parse(data).reason; } catch { return 'The stream has ended.'; }
}

function showComments(comments) {
  comments.filter((comment) => comment !== 'ok').forEach((comment) => {
    if (!comment.startsWith('heartbeat')) say('Connected: ' + comment, true);
    else say(comment.includes(';') ? 'Connected, but' + comment.slice(comment.indexOf(';') + 1) + '.' : 'Connected: events appear as they come.', true);
  });
}

// --- Totals and the chart

function count(items) {
  received += items.filter((item) => item.kind === 'event').length;
  gapCount += items.filter((item) => item.kind === 'gap').length;
  const bar = Math.floor(Date.now() / 1000 / kBarSeconds);
  bars.set(bar, (bars.get(bar) || 0) + items.length);
}

for (let i = 0; i < kBars; ++i) at('chart').append(make('span'));

function drawTotals() {
  const now = Math.floor(Date.now() / 1000 / kBarSeconds);
  [...bars.keys()].filter((bar) => bar <= now - kBars).forEach((bar) => bars.delete(bar));
  const counts = Array.from({length: kBars}, (_, i) => bars.get(now - kBars + 1 + i) || 0);
  const most = Math.max(1, ...counts);
  counts.forEach((of, i) => {
    const bar = at('chart').children[i];
    bar.style.height = (of ? Math.max(4, 100 * of / most) : 0) + '%';
  });
  // Of the last full bar: the one under way is still filling.
  const rate = counts[kBars - 2] / kBarSeconds;
  const text = rate >= 10 || rate === 0 ? counted(Math.round(rate)) : rate.toFixed(1);
  setText(at('rate'), text);
  const label = 'Events a second in the last five minutes: ' + text + ' now, ' + (most / kBarSeconds).toFixed(1) + ' at most';
  at('chart').setAttribute('aria-label', label);
  at('chart').title = label;
  setText(at('received'), counted(received));
  setText(at('gaps'), counted(gapCount));
  setText(at('forgotten'), counted(forgotten));
}

// --- Download

// The events in the list, oldest first, as lines of JSON.
at('download').addEventListener('click', () => {
  const lines = shown.filter((event) => event.kind === 'event').map((event) => event.event + '\n');
  const link = make('a');
  link.href = URL.createObjectURL(new Blob(lines, {type: 'application/x-ndjson'}));
  link.download = (wanted.streams.join('_') || 'events').replace(/[^\w.-]/g, '_').slice(0, 100) + '.ndjson';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

at('filter').addEventListener('submit', (event) => {
  event.preventDefault();
  const path = at('path').value.trim();
  const condition = {kind: at('condition').value, path, value: at('value').value};
  if (!path) {
    at('path').focus();
    return;
  }
  at('path').value = at('value').value = '';
  change({conditions: [...wanted.conditions, condition]});
});
['since', 'last'].forEach((id) => at(id).addEventListener('change', () => change({[id]: at(id).value.trim()})));
at('canary').addEventListener('change', () => change({canary: at('canary').checked}));
at('start').addEventListener('click', () => { if (isRunning) stop('Stopped. Start goes on where it was.'); else start(); });
at('pause').addEventListener('click', () => { if (!isPaused && isFull) start(); });
at('pill').addEventListener('click', () => { if (isFull) start(); });
at('clear').addEventListener('click', emptyList);
kPaths.forEach((path) => {
  const option = make('option');
  option.value = path;
  at('paths').append(option);
});
readAddress();
writeAddress();
showWanted();
readList();
start();
drawTotals();
setInterval(drawTotals, 1000);
