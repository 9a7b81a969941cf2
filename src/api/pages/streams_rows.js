// The rows of the page of streams: events and gaps, as {id, number, kind, type, event, told}, where `event` is the text.

const kKept = 2000;  // events and gaps; the oldest are dropped

// What a text says of itself, read once: {data, stream, place, time, schema}. A text may be anything.
function told(event) {
  if (event.told) return event.told;
  let data = null;
  try { data = JSON.parse(event.event); } catch { /* shown as it is */ }
  const meta = data && typeof data === 'object' ? (event.kind === 'gap' ? data : data.meta) : null;
  const of = meta && typeof meta === 'object' ? meta : {};
  const place = typeof of.topic === 'string' ? of.topic + '/' + of.partition + ' ' + (event.kind === 'gap' ? of.from : of.offset) : '';
  event.told = {
    topic: typeof of.topic === 'string' ? of.topic : '',
    partition: of.partition,
    offset: of.offset,
    from: of.from,
    to: of.to,
    place,
    stream: typeof of.stream === 'string' ? of.stream : typeof of.topic === 'string' ? of.topic : '',
    time: typeof of.dt === 'string' && !Number.isNaN(Date.parse(of.dt)) ? new Date(of.dt) : null,
    schema: data && typeof data.$schema === 'string' ? data.$schema : '',
    isCanary: of.domain === 'canary',
  };
  return event.told;
}

const gapText = ({topic, partition, from, to}) => 'Gap: records ' + from + ' to ' + (to - 1) + ' of ' + topic + '/' + partition + ' are gone';

function makeRow(event) {
  const row = make('div', undefined, 'row cells ' + event.kind);
  row.setAttribute('role', 'row');
  row.event = event;
  const about = told(event);
  const cell = (text, name) => {
    const element = make('span', text, name);
    element.setAttribute('role', 'gridcell');
    row.append(element);
    return element;
  };
  const time = cell(about.time ? localTime(about.time) : localTime(event.came), 'time');
  time.title = (about.time || event.came).toISOString();
  cell(about.stream, 'stream');
  cell(about.place, 'place');
  cell(event.kind === 'gap' ? gapText(about) : previewText(event), 'preview');
  return row;
}
