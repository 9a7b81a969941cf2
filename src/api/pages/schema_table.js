// The fields of a schema as the rows of the table with the id `fields`.

const kFields = 1000;  // rows at most
const kFieldDepth = 20;

function typeText(schema) {
  const types = [].concat(schema.type || (schema.properties ? 'object' : schema.enum || 'const' in schema ? [] : 'any'));
  const notes = [];
  if (schema.format) notes.push(schema.format);
  if (Array.isArray(schema.enum)) notes.push('one of ' + schema.enum.map((value) => JSON.stringify(value)).join(', ').slice(0, 300));
  if ('const' in schema) notes.push(JSON.stringify(schema.const).slice(0, 300));
  if (schema.pattern) notes.push('/' + schema.pattern + '/');
  [['minimum', '\u2265'], ['maximum', '\u2264'], ['minLength', 'length \u2265'], ['maxLength', 'length \u2264'], ['maxItems', 'items \u2264']]
    .forEach(([name, sign]) => { if (name in schema) notes.push(sign + ' ' + schema[name]); });
  if ('default' in schema) notes.push('default ' + JSON.stringify(schema.default).slice(0, 100));
  return types.join(' or ') + (notes.length ? (types.length ? ', ' : '') + notes.join(', ') : '');
}

const isSchema = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// The fields of a schema: {path, type, required, description}, each before those inside it.
function schemaFields(whole) {
  const fields = new Map();
  const required = new Set();
  const todo = [{schema: whole, path: '', depth: 0}];
  while (todo.length && fields.size < kFields) {
    const {schema, path, depth, field} = todo.pop();
    if (!isSchema(schema) || depth > kFieldDepth) continue;
    if (field !== undefined) {
      const old = fields.get(field) || {path: field, type: typeText(schema)};
      fields.set(field, {...old, description: String(schema.description || old.description || '')});
    }
    if (Array.isArray(schema.required)) schema.required.forEach((name) => required.add(path + name));
    const inside = Object.entries(isSchema(schema.properties) ? schema.properties : {}).map(
      ([name, property]) => ({schema: property, field: path + name, path: path + name + '.', depth: depth + 1}));
    if (isSchema(schema.additionalProperties) && Object.keys(schema.additionalProperties).length)
      inside.push({schema: schema.additionalProperties, field: path + '*', path: path + '*.', depth: depth + 1});
    if (isSchema(schema.items)) {
      const place = path.replace(/\.$/, '') + '[]';
      inside.push({schema: schema.items, field: place, path: place + '.', depth: depth + 1});
    }
    ['allOf', 'anyOf', 'oneOf'].forEach((name) => {
      if (Array.isArray(schema[name])) schema[name].forEach((part) => inside.push({schema: part, path, depth: depth + 1}));
    });
    todo.push(...inside.reverse());
  }
  return [...fields.values()].map((field) => ({...field, required: required.has(field.path)}));
}

function fillFields(text) {
  const rows = [];
  schemaFields(JSON.parse(text)).forEach((field) => {
    const row = make('tr');
    row.append(make('td', field.path), make('td', field.type), make('td', field.required ? 'yes' : ''), make('td', field.description));
    rows.push(row);
  });
  at('fields').tBodies[0].replaceChildren(...rows);
}
