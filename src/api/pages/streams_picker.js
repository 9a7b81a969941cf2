// Which streams are read: the rail with all that there are, and the token for private ones.

const kRailRows = 500;

const listed = new Map();  // from the names of streams and aliases to what the gate lists of the stream

let listing = null;        // the list, on the way or there

function readList() { listing = fetchList(); }

async function fetchList() {
  try {
    const streams = JSON.parse(await fetchText(kBase + 'v2/stream', 'application/json'));
    listed.clear();
    streams.forEach((stream) => {
      listed.set(stream.name, stream);
      (stream.aliases || []).forEach((alias) => listed.set(alias, {...stream, name: alias, alias_of: stream.name}));
    });
    setText(at('list-state'), streams.length ? '' : 'The gate has no streams to read.');
  } catch (error) {
    setText(at('list-state'), 'The streams cannot be listed: ' + error.message);
  }
  drawStreams();
}

// The streams in the order shown: those that are read, then the others that the search finds.
function drawStreams() {
  const text = at('search').value.trim().toLowerCase();
  const finds = (stream) => (stream.name + ' ' + (stream.description || '') + ' ' + (stream.schema_title || '')).toLowerCase().includes(text);
  const chosen = wanted.streams.map((name) => listed.get(name) || {name, unlisted: true});
  const others = [...listed.values()].filter((stream) => !wanted.streams.includes(stream.name) && finds(stream));
  const rows = [...chosen, ...others].slice(0, kRailRows).map((stream) => ({key: stream.name, stream}));
  keepRows(at('stream-rows'), rows, ({key}) => {
    const label = make('label');
    const box = make('input');
    box.type = 'checkbox';
    box.addEventListener('change', () => choose(key, box.checked));
    const name = make('span', key, 'name');
    name.append(make('span', '', 'about'));
    label.append(box, name);
    return label;
  }, (label, {stream}) => {
    label.firstChild.checked = wanted.streams.includes(stream.name);
    const about = stream.unlisted ? 'not listed: it may need the token' : stream.alias_of ? 'alias of ' + stream.alias_of :
      stream.description || stream.schema_title || '';
    setText(label.lastChild.lastChild, about);
    label.title = about;
  });
  if (listed.size && !rows.length) setText(at('list-state'), 'No stream has this in its name or description.');
  else if (listed.size) setText(at('list-state'), '');
}

function choose(name, isChosen) {
  change({streams: isChosen ? [...wanted.streams, name] : wanted.streams.filter((other) => other !== name)});
  // The row has moved: the focus goes with it.
  const row = [...at('stream-rows').children].find((label) => label.key === name);
  if (row) row.firstChild.focus();
}

function showToken(isShown) {
  at('access').hidden = !isShown;
  at('private').setAttribute('aria-expanded', String(isShown));
}

at('search').addEventListener('input', drawStreams);
at('private').addEventListener('click', () => {
  showToken(at('access').hidden);
  if (!at('access').hidden) at('token').focus();
});
at('access').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(kTokenKey, at('token').value);
  at('token').value = '';
  showToken(false);
  readList();
  start();
});
at('forget').addEventListener('click', () => {
  sessionStorage.removeItem(kTokenKey);
  at('token').value = '';
  showToken(false);
  readList();
  start();
});
