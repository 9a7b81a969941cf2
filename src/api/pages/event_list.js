// The list: a grid of which only the rows in sight exist. Rows hold still while the pointer or the focus is in it, while
// it is scrolled, and while it is paused; events that come meanwhile wait behind the pill.
//
// A page has `kKept`, how many events its list keeps, and `makeRow(event)`, `open(event)` and `showEmpty()`. An event has
// `id`, which no other has, `number`, which grows, and `event`, its text.

const kKeptSize = 32000000;  // characters of the texts of events that are kept
const kRowHeight = 26;
const kAhead = 8;  // rows made above and below those in sight

const list = at('list');
const shown = [];          // events, oldest first
const waiting = [];        // events that are not shown yet
const elements = new Map();  // from ids of events to their rows
let waitingCount = 0;
let forgotten = 0;         // events that others have pushed out
let roving = null;         // the event whose row takes part in the order of Tab
let isPointerInside = false;
let isPaused = false;
let pausedAfter = Infinity;  // the number of the last event before the pause
let isDrawing = false;
let saidAt = 0;
let sayTimer = 0;

const eventAt = (place) => shown[shown.length - 1 - place];
const placeOf = (event) => { const i = shown.lastIndexOf(event); return i < 0 ? -1 : shown.length - 1 - i; };

function holdsStill() {
  return isPaused || isPointerInside || list.scrollTop > 0 || list.contains(document.activeElement);
}

// The members of an event that tell it from others, in a line.
function previewText(event) {
  const text = event.event;
  if (text.length > 16384) return text.slice(0, 300);
  try {
    const members = Object.entries(JSON.parse(text)).filter(([name]) => name !== '$schema' && name !== 'meta');
    return members.map(([name, value]) => name + ': ' + JSON.stringify(value).slice(0, 120)).join(', ').slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

function draw() {
  isDrawing = false;
  const count = shown.length;
  const from = Math.max(0, Math.floor(list.scrollTop / kRowHeight) - kAhead);
  const to = Math.min(count, Math.ceil((list.scrollTop + list.clientHeight) / kRowHeight) + kAhead);
  const places = [];
  for (let place = from; place < to; ++place) places.push(place);
  const rovingPlace = roving ? placeOf(roving) : -1;
  if (rovingPlace < 0) roving = count > 0 ? eventAt(0) : null;
  const tabPlace = Math.max(0, rovingPlace);
  if (count > 0 && tabPlace < from) places.unshift(tabPlace);
  if (count > 0 && tabPlace >= to) places.push(tabPlace);

  const wanted = new Set(places.map((place) => eventAt(place).id));
  elements.forEach((row, id) => {
    if (wanted.has(id)) return;
    row.remove();
    elements.delete(id);
  });
  let next = at('rows').firstChild;
  places.forEach((place) => {
    const event = eventAt(place);
    let row = elements.get(event.id);
    if (!row) {
      row = makeRow(event);
      elements.set(event.id, row);
    }
    const above = place > 0 && eventAt(place - 1).request === event.request && event.of > 1;
    const below = place < count - 1 && eventAt(place + 1).request === event.request && event.of > 1;
    row.classList.toggle('grouped', above || below);
    row.classList.toggle('joined', below);
    row.style.transform = 'translateY(' + place * kRowHeight + 'px)';
    row.tabIndex = event === roving ? 0 : -1;
    row.setAttribute('aria-rowindex', place + 2);
    row.setAttribute('aria-selected', String(opened === event));
    if (row === next) {
      next = next.nextSibling;
    } else {
      at('rows').insertBefore(row, next);
    }
  });
  at('rows').style.height = count * kRowHeight + 'px';
  list.setAttribute('aria-rowcount', count + 1);
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function showPill() {
  at('pill').hidden = waitingCount === 0;
  setText(at('pill'), counted(waitingCount) + ' new');
}

// What a screen reader hears now and then only, not with each event.
function sayCountSoon() {
  if (sayTimer) return;
  sayTimer = setTimeout(() => {
    sayTimer = 0;
    saidAt = Date.now();
    setText(at('said'), shown.length + ' events shown' + (waitingCount ? ', ' + waitingCount + ' new' : ''));
  }, Math.max(0, saidAt + 10000 - Date.now()));
}

function showCount() {
  setText(at('count'), counted(shown.length) + ' shown' + (waitingCount ? ', ' + counted(waitingCount) + ' waiting' : ''));
  showPill();
  showEmpty();
  sayCountSoon();
}

// Drops the oldest of `events` that are too many or too large.
function keepNewest(events) {
  let from = events.length;
  let size = 0;
  while (from > 0 && events.length - from < kKept && (size += events[from - 1].event.length) <= kKeptSize) --from;
  if (from > 0) events.splice(0, from);
  forgotten += from;
}

function addRows(events) {
  events.forEach((event) => shown.push(event));
  keepNewest(shown);
  drawSoon();
}

function release() {
  const events = waiting.splice(0);
  waitingCount = 0;
  addRows(events);
  showCount();
}

function releaseIfFree() { if (waitingCount > 0 && !holdsStill()) release(); }

function take(events) {
  const now = [];
  for (const event of events) {
    const waits = isPaused ? event.number > pausedAfter : shown.length + now.length > 0 && holdsStill();
    if (waits) {
      waiting.push(event);
      ++waitingCount;
    } else {
      now.push(event);
    }
  }
  keepNewest(waiting);
  if (now.length) addRows(now);
  showCount();
}

function emptyList() {
  shown.length = 0;
  waiting.length = 0;
  waitingCount = 0;
  forgotten = 0;
  roving = null;
  list.scrollTop = 0;
  draw();
  showCount();
}

// Makes the row at `place` the one of the order of Tab, brings it into sight and gives it the focus.
function focusRow(place) {
  const event = eventAt(Math.max(0, Math.min(place, shown.length - 1)));
  if (!event) return;
  roving = event;
  const top = placeOf(event) * kRowHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  const bottom = top + 2 * kRowHeight;  // with the heads
  if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  draw();
  elements.get(event.id).focus({preventScroll: true});
}

list.addEventListener('keydown', (event) => {
  const row = event.target.closest('.row');
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const place = placeOf(row.event);
  const page = Math.max(1, Math.floor(list.clientHeight / kRowHeight) - 2);
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    open(row.event);
    return;
  }
  const next = {ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0,
    End: shown.length - 1}[event.key];
  if (next === undefined) return;
  event.preventDefault();
  focusRow(next);
});
list.addEventListener('click', (event) => {
  const row = event.target.closest('.row');
  if (row && getSelection().isCollapsed) open(row.event);
});
list.addEventListener('focusin', (event) => {
  const row = event.target.closest('.row');
  if (row && row.event !== roving) {
    roving = row.event;
    drawSoon();
  }
});
list.addEventListener('focusout', () => setTimeout(releaseIfFree));
list.addEventListener('scroll', () => {
  drawSoon();
  releaseIfFree();
}, {passive: true});
// The pill is inside, too: rows must not come under the pointer that is on its way to it.
at('events').addEventListener('pointerenter', (event) => { isPointerInside = event.pointerType !== 'touch'; });
at('events').addEventListener('pointermove', (event) => { isPointerInside = event.pointerType !== 'touch'; });
at('events').addEventListener('pointerleave', () => {
  isPointerInside = false;
  releaseIfFree();
});
new ResizeObserver(drawSoon).observe(list);
at('pill').addEventListener('click', (event) => {
  const byKey = event.detail === 0;  // no click of a pointer
  list.scrollTop = 0;
  if (isPaused) pausedAfter = lastNumber;
  release();
  if (byKey) focusRow(0);
});
at('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  at('pause').setAttribute('aria-pressed', String(isPaused));
  setText(at('pause'), isPaused ? 'Resume' : 'Pause');
  pausedAfter = isPaused ? lastNumber : Infinity;
  if (!isPaused) release();
  showCount();
});
