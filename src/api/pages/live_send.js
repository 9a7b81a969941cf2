// The Send tab: an event to begin with, and the reply.

// A value that `schema` admits, as far as that is easily said.
function exampleOf(schema, depth) {
  if (!isSchema(schema) || depth > 8) return null;
  if (Array.isArray(schema.examples) && schema.examples.length) return schema.examples[0];
  if ('default' in schema) return schema.default;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length) return schema.enum[0];
  const type = [].concat(schema.type || (schema.properties || schema.allOf ? 'object' : 'string'))[0];
  if (type === 'object') {
    const made = {};
    [schema, ...(Array.isArray(schema.allOf) ? schema.allOf.filter(isSchema) : [])].forEach((part) => {
      const properties = isSchema(part.properties) ? part.properties : {};
      (Array.isArray(part.required) ? part.required : []).forEach((name) => { made[name] = exampleOf(properties[name], depth + 1); });
    });
    return made;
  }
  if (type === 'array') return schema.minItems ? [exampleOf(schema.items, depth + 1)] : [];
  if (type === 'integer' || type === 'number') return schema.minimum || 0;
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  return {'date-time': new Date().toISOString(), 'uri': 'https://example.org/', 'uri-reference': '/'}[schema.format] || 'text';
}

// The event of a schema's own example, for `stream`. What the gate adds is left to it.
function exampleEvent(text, stream, uri) {
  const schema = JSON.parse(text);
  let event = null;
  if (Array.isArray(schema.examples) && isSchema(schema.examples[0])) event = schema.examples[0];
  if (!event) event = exampleOf({...schema, default: undefined, examples: undefined, type: 'object'}, 0) || exampleOf(schema, 0);
  if (!isSchema(event)) event = {};
  const meta = isSchema(event.meta) ? {...event.meta} : {};
  ['id', 'dt', 'request_id'].forEach((name) => { delete meta[name]; });
  return {...event, $schema: schema.$id || event.$schema || uri, meta: {...meta, stream}};
}

async function startFromSchema() {
  const stream = at('send-stream').value.trim();
  if (!stream) {
    setText(at('send-state'), 'Name a stream first.');
    at('send-stream').focus();
    return;
  }
  const row = summary && summary.streams.find((other) => other.stream === stream);
  const used = row && row.schemas.length ? row.schemas[0] : null;
  const fallback = '/' + ((row && row.schema_title) || 'SCHEMA_TITLE') + '/1.0.0';
  setText(at('send-state'), 'Reading the schema.');
  let event = {$schema: used || fallback, meta: {stream}};
  try {
    const {text} = await fetchDocument({uri: row && row.schema_title ? '/' + row.schema_title + '/latest' : used || fallback});
    event = exampleEvent(text, stream, used || fallback);
    setText(at('send-state'), 'From ' + event.$schema + '.');
  } catch (error) {
    setText(at('send-state'), 'Its schema cannot be read: ' + error.message);
  }
  at('send-body').value = JSON.stringify(event, null, 2);
}

// With an event open, that event; else the example of a stream. What somebody has written stays.
function prepareSend() {
  const body = at('send-body');
  if (opened && opened.outcome !== 'rejected' && !opened.cut && body.from !== opened.id) {
    body.from = opened.id;
    body.value = posted(opened);
    at('send-query').value = String(new URLSearchParams(opened.query || []));
    at('send-hasty').checked = Boolean(opened.hasty);
    at('send-stream').value = opened.stream || '';
    setText(at('send-state'), '');
    at('reply').hidden = true;
    return;
  }
  if (body.value || !summary) return;
  const first = summary.streams.find((row) => row.stream === filters.stream) ||
    summary.streams.find((row) => row.declared && row.schema_title);
  at('send-stream').value = (first && first.stream) || '';
  if (first) startFromSchema();
}

async function send() {
  const query = [...new URLSearchParams(at('send-query').value.trim().replace(/^\?/, ''))];
  setText(at('send-state'), 'Sending.');
  at('reply').hidden = true;
  const began = performance.now();
  try {
    const reply = await fetch(eventsUri(query, at('send-hasty').checked), {method: 'POST', body: at('send-body').value,
      headers: {'content-type': 'application/json'}, cache: 'no-store', credentials: 'omit'});
    const text = await reply.text();
    const took = Math.round(performance.now() - began);
    setText(at('send-state'), reply.status + ' ' + reply.statusText + ' (' + took + ' ms)');
    at('send-state').className = reply.ok && reply.status !== 207 ? 'accepted' : 'invalid';
    at('reply').hidden = text === '';
    if (text) showJson(at('reply'), text);
  } catch {
    setText(at('send-state'), 'The gate does not answer.');
    at('send-state').className = 'error';
  }
}

at('send-example').addEventListener('click', startFromSchema);
at('send-form').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
at('send-body').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
});
