// Server-Sent Events over fetch, because EventSource can send no token: `readEventStream(body, heard, taken)` calls
// `taken` with the events of each piece that arrives, as [{event, id, data}], until the stream ends.
async function readEventStream(body, heard, taken) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    const events = blocks.map((block) => {
      const fields = {event: 'message', id: '', data: ''};
      block.split('\n').forEach((line) => {
        const colon = line.indexOf(': ');
        if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
      });
      return fields;
    });
    if (events.length) taken(events);
  }
}
