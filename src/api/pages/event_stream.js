// Server-Sent Events over fetch, because EventSource can send no token.
//
// `follow(source)` reads a stream and comes back when the connection is lost. A source has
//   silence             ms without a byte after which the connection counts as lost
//   request()           returns {path, id}: what to ask for, and the id to go on from, if there is one
//   opened()            the gate has answered, and events follow
//   taken(events)       the events of each piece that arrives, as [{event, id, data, retry, comments}]; false: no more
//   refused(status)     the gate has answered with a status that is final

const kStreamFields = ['event', 'id', 'data', 'retry'];

let connection = null;  // aborts what is under way

function say(text, connected) {
  setText(at('state'), text);
  at('state').toggleAttribute('data-connected', Boolean(connected));
}

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
      const fields = {event: 'message', id: '', data: '', comments: []};
      block.split('\n').forEach((line) => {
        const colon = line.indexOf(':');
        const name = line.slice(0, colon);
        const text = line.slice(colon + 1).replace(/^ /, '');
        if (colon === 0) fields.comments.push(text);
        if (kStreamFields.includes(name)) fields[name] = text;
      });
      return fields;
    });
    if (events.length) taken(events);
  }
}

// Reads one connection to its end. Returns why it ended, or no reason if it was the last one, and the ms to wait.
async function readOnce(source, abort) {
  let timer = 0;
  let retry = 0;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), source.silence);
  };
  heard();
  try {
    const {path, id} = source.request();
    const headers = headersFor('text/event-stream');
    if (id) headers['last-event-id'] = id;
    const reply = await fetch(path, {headers, signal: abort.signal, cache: 'no-store', credentials: 'omit'});
    if (connection !== abort) return {reason: null};
    if (reply.ok && reply.body) {
      say('Connected: events appear as they come.', true);
      source.opened();
      await readEventStream(reply.body, heard, (events) => {
        if (connection !== abort) return;
        events.forEach((event) => { if (/^\d+$/.test(event.retry || '')) retry = Number(event.retry); });
        if (source.taken(events) === false) connection = null;
        if (connection === null) abort.abort();
      });
      return {reason: 'The connection ended.', retry};
    }
    if (reply.ok) {
      say('The stream has ended.');
      return {reason: null};
    }
    const problem = await reply.json();
    if (reply.status >= 500 || reply.status === 429) {
      return {reason: problem.detail, retry: 1000 * Number(reply.headers.get('retry-after'))};
    }
    source.refused(reply.status);
    say(problem.detail);
    return {reason: null};
  } finally {
    clearTimeout(timer);
  }
}

function unfollow() {
  if (connection) connection.abort();
  connection = null;
}

async function follow(source) {
  unfollow();
  for (let delay = 1000; ; delay = Math.min(delay * 2, 10000)) {
    const abort = connection = new AbortController();
    const began = Date.now();
    let end;
    try {
      end = await readOnce(source, abort);
    } catch {
      end = {reason: 'The gate does not answer.'};
    }
    if (connection !== abort || end.reason === null) return;
    say(end.reason + ' Trying again.');
    if (Date.now() - began > 10000) delay = 1000;
    await new Promise((done) => setTimeout(done, end.retry || delay));
    if (connection !== abort) return;
  }
}
