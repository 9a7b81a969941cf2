// The browser client of EventGate: `createClient(options).submit(stream, event)`. README.md has its use, client.d.ts its
// types. One ES module without dependencies; the gate serves it, without these comments, as /client.js.
//
// An event is text from the moment it is submitted. It is in one place at a time: `held` (its stream config is on the way),
// `queue`, a request in flight, or the store (`localStorage`). It ends in one way: sent, or dropped with a reason.
//
// minify.py makes the text that the gate serves. It shortens names that are no property anywhere, so few local names are those of
// properties.

const KIB = 1024;
// A batch: events and bytes of one request.
const BATCH_EVENTS = 50;
const BATCH_BYTES = 48 * KIB;
// Browsers refuse keepalive requests and beacons of a page beyond 64 KiB in all.
const KEEPALIVE_BYTES = 60 * KIB;
const MEMORY_EVENTS = 1000;
const MEMORY_BYTES = KIB * KIB;
const HELD_EVENTS = 100;
// The gate answers for so many at once.
const ASKED_STREAMS = 250;
const STORE_EVENTS = 500;
const STORE_BYTES = 512 * KIB;
const STORE_TIME = 864e5;
const REQUEST_TIME = 15e3;
const MAX_TRIES = 10;
// A request that fails sooner than this, in milliseconds, was probably not sent: an ad blocker refuses at once.
const AT_ONCE = 50;

const hex = (bytes) =>
  [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => (byte + 256).toString(16).slice(1)).join('');

// crypto.randomUUID is there on secure pages alone.
const uuid = () =>
  crypto.randomUUID ? crypto.randomUUID() : hex(16).replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12})/, '$1-$2-4$3-a$4-$5');

const size_of = (words) => new TextEncoder().encode(words).length;

const bytes_of = (list) => list.reduce((sum, entry) => sum + entry.size + 1, 1);

const body_of = (list) => '[' + list.map((entry) => entry.text) + ']';

export const createClient = (options = {}) => {
  const { url = '', streams = false, linger = 5000, ids = {}, respect = [] } = options;
  const target = url + '/v1/events' + (options.hasty ? '?hasty=true' : '');
  const prefix = 'eventgate ' + url + ' ';
  const session_key = 'eventgate-session';
  const handlers = new Set();
  const dropped = {};
  const cleanup = [];
  let submitted = 0;
  let sent = 0;
  let sequence = 0;
  let queue = [];
  let held = [];
  let flying = [];
  // Events of the largest batch that the gate takes.
  let most = BATCH_EVENTS;
  let failures = 0;
  let refusals = 0;
  let retry_at = 0;
  let timer;
  let running;
  let answered;
  let blocked;
  let closed;
  let lost;
  let storage;
  let own_page = ids.pageview;
  let own_session = ids.session;
  let opted_out =
    (respect.includes('gpc') && navigator.globalPrivacyControl) || (respect.includes('dnt') && navigator.doNotTrack == 1);

  const page_now = () => (own_page = own_page || hex(10));

  const session_now = () => {
    if (own_session || options.session === false) return own_session || '';
    own_session = hex(10);
    try {
      own_session = sessionStorage.getItem(session_key) || own_session;
      sessionStorage.setItem(session_key, own_session);
    } catch {}
    return own_session;
  };

  // The store. The key of an entry has its time, so that sorted keys begin with the oldest.

  const slots = () => (storage ? Object.keys(storage).filter((slot) => slot.startsWith(prefix)).sort() : []);

  const forget = (entry) => entry.key && storage.removeItem(entry.key);

  const drop = (reason, entry, message = '') => {
    if (entry.loss) return;
    dropped[reason] = (dropped[reason] || 0) + 1;
    lost = lost || !/^not_|^opted/.test(reason);
    const { id, stream } = entry;
    if (options.debug) console.warn('eventgate: ' + stream + ': ' + reason + ' ' + message + ' (' + url + '/live)');
    handlers.forEach((handler) => {
      try {
        handler({ reason, id, stream, message });
      } catch {}
    });
  };

  const read = (key) => {
    const [tries, stream, text, loss] = JSON.parse(storage.getItem(key));
    return { key, id: key.slice(prefix.length + 14), tries, stream, text, loss, size: size_of(text) };
  };

  // Drops what `slot` of the store has.
  const evict = (slot, why) => {
    try {
      drop(why, read(slot));
    } catch {}
    storage.removeItem(slot);
  };

  // Moves an entry to the store, and returns false if there is none, or no room.
  const save = (entry) => {
    if (!storage) return false;
    const slot = entry.key || prefix + Date.now() + ' ' + entry.id;
    try {
      storage.setItem(slot, JSON.stringify([entry.tries, entry.stream, entry.text, entry.loss]));
    } catch {
      return false;
    }
    entry.key = slot;
    const all = slots();
    let size = all.reduce((sum, each) => sum + storage.getItem(each).length, 0);
    while (all.length > STORE_EVENTS || size > STORE_BYTES) {
      size -= storage.getItem(all[0]).length;
      evict(all.shift(), 'store_full');
    }
    return true;
  };

  // The oldest entries of the store that fit a request.
  const stored = () => {
    const batch = [];
    for (const slot of slots()) {
      if (slot.substr(prefix.length, 13) < Date.now() - STORE_TIME) {
        evict(slot, 'expired');
        continue;
      }
      try {
        const entry = read(slot);
        if (batch.length >= most || (batch.length && bytes_of(batch) + entry.size > BATCH_BYTES)) break;
        batch.push(entry);
      } catch {
        storage.removeItem(slot);
      }
    }
    return batch;
  };

  // Calls `work` unless another tab sends what is in the store.
  const alone = async (work) => {
    if (navigator.locks) return navigator.locks.request(prefix, { ifAvailable: true }, (lock) => lock && work());
    const lock = 'eventgate-lock ' + url;
    if (storage.getItem(lock) > Date.now()) return;
    // Longer than a request may take.
    await work(() => storage.setItem(lock, Date.now() + REQUEST_TIME + 5e3));
    storage.removeItem(lock);
  };

  // Requests.

  const request = async (uri, init, read_body) => {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), REQUEST_TIME);
    try {
      const reply = await fetch(uri, { credentials: 'omit', signal: abort.signal, ...init });
      return [reply, await read_body(reply)];
    } finally {
      clearTimeout(limit);
    }
  };

  const done = (entry) => {
    if (!entry.loss) ++sent;
    forget(entry);
  };

  const refuse = (reason, entry, message) => {
    drop(reason, entry, message);
    forget(entry);
  };

  // Takes at most `bytes` from the queue, and at least one event.
  const take = (bytes) => {
    let count = 1;
    while (count < most && count < queue.length && bytes_of(queue.slice(0, count + 1)) <= bytes) ++count;
    return queue.splice(0, count);
  };

  // Puts entries back that may be sent again.
  const again = (list, reply) => {
    const after = reply && reply.headers.get('Retry-After');
    let wait = after ? (isNaN(after) ? Date.parse(after) - Date.now() : after * 1000) : NaN;
    if (!(wait >= 0)) wait = Math.min(3e5, 1000 * 2 ** failures) * (0.5 + Math.random() / 2);
    ++failures;
    retry_at = Date.now() + Math.min(wait, 6e5);
    const back = [];
    list.forEach((entry) => {
      if (++entry.tries >= MAX_TRIES) refuse('retries', entry);
      else if (!save(entry)) back.push(entry);
    });
    queue = back.concat(queue);
  };

  // Stops for this page, because something between page and gate refuses every request.
  const block = () => {
    blocked = true;
    held.concat(queue).forEach((entry) => save(entry) || drop('blocked', entry));
    held = [];
    queue = [];
  };

  // A reply that names each event that was not produced.
  const settle = (batch, named, reply) => {
    const retried = [];
    batch.forEach((entry, index) => {
      const element = named.get(index);
      if (!element) return done(entry);
      const { delivery, retry, errorsText, message } = element.context || {};
      if (delivery && retry !== false) retried.push(entry);
      else refuse(element.bad, entry, [errorsText || message, element.hint].join(' '));
    });
    if (retried.length) again(retried, reply);
    else failures = 0;
  };

  const answer = (batch, reply, found) => {
    const { status } = reply;
    answered = true;
    refusals = 0;
    const named = new Map();
    // Something else than the gate may answer, such as a proxy with {"error": "Bad Gateway"}.
    for (const bad of ['invalid', 'error'])
      for (const element of [].concat((found && found[bad]) || []))
        if (element && element.index >= 0) named.set(element.index, { ...element, bad });
    if (named.size) settle(batch, named, reply);
    else if (status < 300 && status != 207) {
      failures = 0;
      most = Math.min(BATCH_EVENTS, most * 2);
      batch.forEach(done);
    } else if (status == 413) {
      if (batch.length == 1) return refuse('too_large', batch[0]);
      most = batch.length >> 1;
      // Entries of the store are still there.
      queue = batch.filter((entry) => !entry.key).concat(queue);
    } else if (status == 207 || status == 429 || status >= 500) again(batch, reply);
    else batch.forEach((entry) => refuse('rejected', entry, (found && found.detail) || status));
  };

  // Sends a batch. Each of its entries is settled, or waits again, when this is over. A request that is refused at once is tried
  // without keepalive, because other scripts of the page may have used up what the browser grants.
  const post = async (batch, keepalive = true) => {
    const body = body_of(batch);
    const began = performance.now();
    flying.push(...batch);
    let reply;
    let found;
    try {
      [reply, found] = await request(
        target,
        { method: 'POST', body, keepalive: keepalive && !refusals && bytes_of(batch) < KEEPALIVE_BYTES },
        async (got) => {
          // What the gate has produced is produced, even if the rest of its answer does not come.
          if (got.status != 207 && got.status < 300) return;
          const text = await got.text();
          try {
            return JSON.parse(text);
          } catch {}
        },
      );
    } catch {}
    flying = flying.filter((entry) => !batch.includes(entry));
    if (opted_out) return;
    if (reply) return answer(batch, reply, found);
    const quick = !answered && navigator.onLine && performance.now() - began < AT_ONCE;
    refusals = quick ? refusals + 1 : 0;
    again(batch);
    if (refusals > 2) block();
  };

  const ready = () => !blocked && !opted_out && Date.now() >= retry_at;

  const is_full = () => queue.length >= BATCH_EVENTS || bytes_of(queue) >= BATCH_BYTES;

  // Sends what the store has, and what is queued by now.
  const run = async () => {
    report();
    if (slots().length)
      await alone(async (renew) => {
        while (ready()) {
          const batch = stored();
          if (!batch.length) break;
          if (renew) renew();
          await post(batch);
        }
      });
    const due = new Set(queue);
    while (ready() && (due.has(queue[0]) || is_full())) await post(take(BATCH_BYTES));
  };

  const schedule = () => {
    if (closed || blocked || opted_out || running || !(queue.length || slots().length)) return;
    const wait = retry_at - Date.now();
    // A hidden page may end at any time.
    if (wait <= 0 && queue.length && (linger <= 0 || is_full() || document.hidden)) return pump();
    if (wait > 0) clearTimeout(timer);
    else if (timer) return;
    timer = setTimeout(pump, wait > 0 ? wait : linger || 1000);
  };

  const pump = () => {
    clearTimeout(timer);
    timer = 0;
    if (!running && ready())
      running = run()
        .catch(() => {})
        .finally(() => {
          running = 0;
          schedule();
        });
    else schedule();
    return Promise.resolve(running);
  };

  // Hands over what is queued, because the page is hidden or left.
  const leave = (event) => {
    if (blocked || opted_out) return;
    report(event && event.type == 'pagehide');
    // Their stream configs come too late.
    queue.push(...held.splice(0));
    let bytes = KEEPALIVE_BYTES;
    while (queue.length) {
      let batch = take(bytes);
      // A beacon has no answer. Offline it is lost, and so it may be while the gate asks to wait.
      if (!navigator.onLine || Date.now() < retry_at) batch = batch.filter((entry) => !save(entry));
      if (!batch.length) continue;
      if (navigator.sendBeacon && navigator.sendBeacon(target, body_of(batch))) batch.forEach(done);
      else if (batch.length > 1) {
        queue = batch.concat(queue);
        bytes = bytes_of(batch) / 2;
      } else {
        save(batch[0]);
        post(batch, false).then(schedule);
      }
    }
  };

  // Stream configs.

  // By name: the config, and, if the gate was asked, until when it counts.
  const configs = new Map(streams && streams != 'fetch' ? Object.entries(streams) : []);
  const names = new Set();
  let asking;

  const ask = async () => {
    const asked = [...names].slice(0, ASKED_STREAMS);
    let age = 60;
    let fresh;
    try {
      const [reply, found] = await request(
        url + '/v1/stream-configs?streams=' + asked.map(encodeURIComponent).join('%7C'),
        {},
        (got) => got.json(),
      );
      fresh = new Map(Object.entries(found.streams));
      age = (/max-age=(\d+)/.exec(reply.headers.get('Cache-Control')) || [0, age])[1];
    } catch {}
    asked.forEach((name) => {
      names.delete(name);
      // Without an answer the gate decides, until it can be asked again.
      configs.set(name, [fresh ? fresh.get(name) : (configs.get(name) || [{}])[0], Date.now() + age * 1000]);
    });
    asking = names.size && setTimeout(ask);
    held.splice(0).forEach((entry) => {
      const reason = place(entry);
      if (reason) drop(reason, entry);
    });
    schedule();
  };

  // The config of a stream; undefined: it has none; null: it is not known yet.
  const config_of = (stream) => {
    if (!streams) return {};
    const known = configs.get(stream);
    if (streams != 'fetch') return known;
    if (!known || Date.now() > known[1]) {
      names.add(stream);
      asking = asking || setTimeout(ask);
    }
    return known ? known[0] : null;
  };

  const is_sampled = ({ sample }) => {
    if (!sample) return true;
    const id = sample.unit == 'session' ? session_now() : sample.unit == 'pageview' ? page_now() : '';
    return parseInt(id.slice(0, 8), 16) / 4294967295 < sample.rate;
  };

  const verdict = (config) => (config === null || (config && is_sampled(config)) ? '' : config ? 'not_sampled' : 'not_configured');

  // Queues an entry, or returns why not.
  const place = (entry) => {
    const config = config_of(entry.stream);
    const reason = verdict(config);
    if (reason) return reason;
    const all = held.concat(queue, flying);
    if (
      (!config && held.length >= HELD_EVENTS) ||
      all.length >= MEMORY_EVENTS ||
      bytes_of(all) + entry.size > MEMORY_BYTES
    )
      return 'queue_full';
    const client = config && config.producers && config.producers.metrics_platform_client;
    if (client && client.stream_name) {
      const event = JSON.parse(entry.text);
      event.meta.stream = entry.stream = client.stream_name;
      entry.text = JSON.stringify(event);
      entry.size = size_of(entry.text);
    }
    (config ? queue : held).push(entry);
  };

  const entry_of = (stream, event, loss) => {
    const id = (event.meta && event.meta.id) || uuid();
    const meta = { ...event.meta, id, stream, domain: location.hostname || undefined };
    const dt = event.client_dt ? undefined : event.dt || new Date().toISOString();
    const text = JSON.stringify({ ...event, meta, dt });
    return { id, stream, text, size: size_of(text), tries: 0, loss };
  };

  // Puts what became of all events at the head of the queue, if some were lost or the page is left.
  const report = (leaving) => {
    if (!options.loss_stream || !(lost || (leaving && submitted))) return;
    lost = false;
    const { loss_schema: $schema = '/eventgate/client_loss/1.0.0' } = options;
    const event = { $schema, session_id: session_now() || undefined, pageview_id: page_now(), sequence: ++sequence, ...stats() };
    queue.unshift(entry_of(options.loss_stream, event, true));
  };

  const submit = (stream, event) => {
    ++submitted;
    const refused = (reason, message) => {
      drop(reason, { stream, id: event && event.meta && event.meta.id }, message);
      return { accepted: false, reason };
    };
    if (opted_out || closed || blocked) return refused(opted_out ? 'opted_out' : closed ? 'closed' : 'blocked');
    if (!stream || !event || !event.$schema) return refused('no_schema', 'expected a stream, and an event with $schema');
    try {
      const early = verdict(config_of(stream));
      if (early) return refused(early);
      const entry = entry_of(stream, event);
      const max = options.max_event || 32 * KIB;
      if (entry.size > max) return refused('too_large', entry.size + ' bytes, expected at most ' + max);
      const reason = place(entry);
      if (reason) return refused(reason);
      schedule();
      return { accepted: true, id: entry.id };
    } catch (error) {
      return refused('invalid', String(error));
    }
  };

  const stats = () => ({
    submitted,
    sent,
    waiting: held.concat(queue, flying).filter((entry) => !entry.loss && !entry.key).length + slots().length,
    dropped: { ...dropped },
  });

  const listen = (on, type, handler) => {
    on.addEventListener(type, handler);
    cleanup.push(() => on.removeEventListener(type, handler));
  };

  if (options.store && !opted_out)
    try {
      storage = localStorage;
    } catch {}
  listen(document, 'visibilitychange', () => document.hidden && leave());
  listen(window, 'pagehide', leave);
  listen(window, 'online', () => {
    retry_at = 0;
    pump();
  });
  if (slots().length) timer = setTimeout(pump);

  return {
    submit,
    stats,
    flush: () => pump().then(pump),
    inSample: (stream) => !opted_out && !verdict(config_of(stream)),
    on: (type, handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    optOut: () => {
      opted_out = true;
      held.concat(queue, flying.filter((entry) => !entry.key)).forEach((entry) => drop('opted_out', entry));
      slots().forEach((slot) => evict(slot, 'opted_out'));
      held = [];
      queue = [];
      flying = [];
      try {
        sessionStorage.removeItem(session_key);
      } catch {}
    },
    logEvent: (schema, data) =>
      submit('eventlogging_' + schema, {
        $schema: '/analytics/legacy/' + (schema + '/').toLowerCase() + ((options.legacy || {})[schema] || '1.0.0'),
        schema,
        event: data,
        webHost: location.hostname,
        wiki: options.wiki,
        client_dt: new Date().toISOString(),
      }),
    close: () => {
      leave();
      closed = true;
      clearTimeout(timer);
      cleanup.forEach((each) => each());
    },
  };
};
