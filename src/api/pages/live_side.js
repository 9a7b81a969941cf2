// What is beside the events: totals, rate, the chart of five minutes, and the rail of streams and reasons. All of it is
// what the gate counts (`/v1/live/summary`), whatever the list shows.

const kOutcomes = ['accepted', 'invalid', 'error', 'rejected'];
const kBars = 60;
const kBarSeconds = 5;
const kPoll = 1000;      // ms between two summaries
const kRailRows = 300;   // rows of a part of the rail

const chart = at('chart');
const rail = at('rail');
let summary = null;
let summaryText = '';
let clockSkew = 0;       // ms that the gate's clock is ahead
let chartEnd = 0;        // the number of the bar behind the last one
let railOrder = [];      // names of streams, in the order shown
let isRailHeld = false;
let isChartHeld = false;

for (let i = 0; i < kBars; ++i) {
  const bar = makeButton();
  bar.tabIndex = i === kBars - 1 ? 0 : -1;
  kOutcomes.slice().reverse().forEach((outcome) => {
    const part = make('span', undefined, outcome);
    part.dataset.outcome = outcome;
    bar.append(part);
  });
  chart.append(bar);
}

function drawChart() {
  if (!isChartHeld) chartEnd = Math.floor((Date.now() + clockSkew) / 1000 / kBarSeconds) + 1;
  const bars = Array.from({length: kBars}, () => [0, 0, 0, 0]);
  summary.seconds.forEach(([second, ...counts]) => {
    const place = Math.floor(second / kBarSeconds) - (chartEnd - kBars);
    if (bars[place]) counts.forEach((count, i) => { bars[place][i] += count; });
  });
  const most = Math.max(1, ...bars.map((counts) => counts.reduce((sum, count) => sum + count, 0)));
  [...chart.children].forEach((bar, place) => {
    const begin = (chartEnd - kBars + place) * kBarSeconds * 1000;
    const counts = bars[place];
    const key = begin + ' ' + most + ' ' + counts;
    if (bar.key === key) return;
    bar.key = key;
    bar.begin = begin;
    kOutcomes.forEach((outcome, i) => {
      const height = counts[i] ? Math.max(4, 100 * counts[i] / most) : 0;
      bar.children[kOutcomes.length - 1 - i].style.height = height + '%';
    });
    const said = kOutcomes.map((outcome, i) => counts[i] ? counted(counts[i]) + ' ' + outcome : '').filter(Boolean).join(', ');
    const label = localTime(new Date(begin)).slice(0, 8) + ', ' + kBarSeconds + ' s: ' + (said || 'nothing');
    bar.setAttribute('aria-label', label);
    bar.title = label;
  });
}

function drawTotals() {
  [...at('totals').querySelectorAll('button')].forEach((button) => {
    setText(button.firstChild, counted(summary[button.dataset.outcome]));
    button.setAttribute('aria-pressed', String(filters.outcome === button.dataset.outcome));
  });
  setText(at('in-flight'), counted(summary.in_flight));
  // Of the last five full seconds.
  const now = Math.floor((Date.now() + clockSkew) / 1000);
  const recent = summary.seconds.filter(([second]) => second >= now - 5 && second < now);
  const rate = recent.reduce((sum, [, ...counts]) => sum + counts.reduce((a, b) => a + b, 0), 0) / 5;
  setText(at('rate'), rate >= 10 || rate === 0 ? counted(Math.round(rate)) : rate.toFixed(1));
}

function makeRailButton() {
  const button = makeButton();
  button.append(make('span', '', 'name'), make('span', '', 'numbers'));
  return button;
}

function updateRailButton(button, name, numbers, title, pressed) {
  setText(button.firstChild, name);
  setText(button.lastChild, numbers);
  if (button.title !== title) button.title = title;
  button.setAttribute('aria-pressed', String(pressed));
}

const refusedOf = (row) => row.invalid + row.error;

function drawStreams() {
  const byName = new Map(summary.streams.map((row) => [row.stream || '', row]));
  if (!isRailHeld || railOrder.length === 0) {
    const active = (row) => Number(row.accepted + refusedOf(row) === 0);
    railOrder = summary.streams.slice().sort((a, b) => active(a) - active(b) ||
      (a.stream || '\uffff').localeCompare(b.stream || '\uffff')).map((row) => row.stream || '');
  }
  const rows = railOrder.filter((name) => byName.has(name)).slice(0, kRailRows).map((name) => ({key: name, row: byName.get(name)}));
  const now = Date.now() + clockSkew;
  keepRows(at('stream-rows'), rows, (data) => {
    const button = makeRailButton();
    button.addEventListener('click', () => setFilter({stream: filters.stream === data.key ? '' : data.key}));
    button.disabled = data.key === '';
    return button;
  }, (button, {key, row}) => {
    const refused = refusedOf(row);
    const numbers = row.last ? counted(row.accepted) + (refused ? ' \u00b7 ' + counted(refused) + ' \u2715' : '') +
      ' \u00b7 ' + age(now - Date.parse(row.last)) : '\u2013';
    const title = (key || 'events without a stream') + (row.declared ? '' : ' (not declared)') + ': ' + counted(row.accepted) +
      ' accepted, ' + counted(refused) + ' not' + (row.last ? ', the last ' + age(now - Date.parse(row.last)) + ' ago' : ', none yet') +
      (row.schema_title ? '; schema_title ' + row.schema_title : '');
    updateRailButton(button, key || 'no stream', numbers, title, key !== '' && filters.stream === key);
    button.classList.toggle('none', !row.last);
  });
}

function drawReasons() {
  const place = (reason) => reason.schema_uri || (reason.outcome === 'rejected' ? 'Requests refused whole' : 'No schema');
  const order = (a, b) => place(a).localeCompare(place(b)) || b.count - a.count;
  if (isRailHeld) return;
  const rows = [];
  let last = null;
  summary.reasons.slice().sort(order).slice(0, kRailRows).forEach((reason) => {
    if (place(reason) !== last) rows.push({key: 'heading ' + place(reason), heading: place(reason)});
    last = place(reason);
    rows.push({key: [reason.schema_uri || '', reason.reason || '', reason.path].join('\n'), reason});
  });
  keepRows(at('reason-rows'), rows, (data) => {
    if (data.heading !== undefined) return make('p', data.heading, 'heading');
    const button = makeRailButton();
    button.addEventListener('click', () => {
      const {schema_uri, reason, path} = button.reason;
      const on = {schema: schema_uri || filters.schema, reason: reason || '', path};
      setFilter(button.getAttribute('aria-pressed') === 'true' ? {schema: '', reason: '', path: ''} : on);
    });
    return button;
  }, (row, {reason}) => {
    if (!reason) return;
    row.reason = reason;
    const name = (reason.reason || 'unknown') + (reason.path ? ' ' + reason.path : '');
    const pressed = filters.reason === (reason.reason || '') && filters.path === reason.path &&
      (!reason.schema_uri || filters.schema === reason.schema_uri) && Boolean(filters.reason);
    updateRailButton(row, name, counted(reason.count), name + ': ' + counted(reason.count) + ', ' + reason.outcome, pressed);
    row.firstChild.className = 'name ' + reason.outcome;
  });
  if (rows.length === 0) keepRows(at('reason-rows'), [{key: 'none'}], () => make('p', 'Nothing.', 'quiet'), () => {});
}

function drawNames() {
  const fill = (id, names) => keepRows(at(id), names.slice(0, 1000).map((name) => ({key: name})), (data) => {
    const option = make('option');
    option.value = data.key;
    return option;
  }, () => {});
  fill('streams', [...new Set(summary.streams.map((row) => row.stream).filter(Boolean))]);
  fill('schemas', [...new Set(summary.streams.flatMap((row) => row.schemas))]);
}

function drawSide() {
  if (!summary) return;
  drawTotals();
  drawChart();
  drawStreams();
  drawReasons();
}

async function poll() {
  if (document.visibilityState === 'visible' && at('access').hidden) {
    try {
      const text = await fetchText('v1/live/summary', 'application/json');
      const first = !summary;
      summary = JSON.parse(text);
      clockSkew = Date.parse(summary.now) - Date.now();
      drawSide();
      const names = summary.streams.map((row) => row.stream + row.schemas).join();
      if (names !== summaryText) drawNames();
      summaryText = names;
      if (first) showEmpty();
    } catch { /* the connection of the list says so */ }
  }
  setTimeout(poll, kPoll);
}

const holdWhile = (element, set) => {
  let pointer = false;
  const now = () => set(pointer || element.contains(document.activeElement));
  element.addEventListener('pointerenter', (event) => { pointer = event.pointerType !== 'touch'; now(); });
  element.addEventListener('pointerleave', () => { pointer = false; now(); });
  element.addEventListener('focusin', now);
  element.addEventListener('focusout', () => setTimeout(now));
};
holdWhile(rail, (held) => { isRailHeld = held; });
holdWhile(chart, (held) => { isChartHeld = held; });

chart.addEventListener('click', (event) => {
  const bar = event.target.closest('button');
  if (!bar || bar.begin === undefined) return;
  const iso = (time) => new Date(time).toISOString();
  setFilter({since: iso(bar.begin), until: iso(bar.begin + kBarSeconds * 1000), outcome: event.target.dataset.outcome || filters.outcome});
});
chart.addEventListener('keydown', (event) => {
  const bars = [...chart.children];
  const place = bars.indexOf(event.target);
  const next = {ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: kBars - 1}[event.key];
  if (next === undefined || !bars[next]) return;
  event.preventDefault();
  bars.forEach((bar, i) => { bar.tabIndex = i === next ? 0 : -1; });
  bars[next].focus();
});
at('totals').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) setFilter({outcome: filters.outcome === button.dataset.outcome ? '' : button.dataset.outcome});
});
