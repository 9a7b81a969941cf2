// The rows of the live page.

const kKept = 1024;  // events, as many as the gate keeps

// Why an event was not accepted, in a line; else its own text.
function reasonText(event) {
  const errors = event.errors || [];
  if (errors.length) return (errors[0].dataPath || 'the event') + ' ' + errors[0].message + (errors[0].hint ? ': ' + errors[0].hint : '');
  return event.message || '';
}

function noteTexts(event) {
  const notes = [];
  if (event.of > 1) notes.push((event.index + 1) + '/' + event.of);
  if ((event.errors || []).length > 1) notes.push('+' + (event.errors.length - 1));
  if (event.hasty) notes.push('hasty');
  if (event.delivery === 'unknown') notes.push('unknown');
  if (event.retry === false) notes.push('no retry');
  if (event.cut) notes.push('cut');
  return notes;
}

function makeRow(event) {
  const row = make('div', undefined, 'row cells ' + event.outcome);
  row.setAttribute('role', 'row');
  row.event = event;
  const time = new Date(event.received_at);
  const cell = (text, name) => {
    const element = make('span', text, name);
    element.setAttribute('role', 'gridcell');
    row.append(element);
    return element;
  };
  cell(event.outcome, 'outcome ' + event.outcome);
  cell(localTime(time), 'time').title = event.received_at;
  cell(event.stream || (event.outcome === 'rejected' ? 'no event' : 'no stream'), event.stream ? 'stream' : 'stream quiet');
  cell(event.schema_uri || '', 'schema');
  const reason = reasonText(event);
  cell(reason || previewText(event), reason ? 'reason' : 'preview');
  const tags = cell(undefined, 'tags');
  noteTexts(event).forEach((note) => tags.append(make('span', note, 'tag')));
  return row;
}
