// The pane beside the list, with what is open in it. The button with `data-opens-pane` opens it without an event.

let opened = null;  // the event that is open

function addFact(name, ...parts) {
  const value = make('dd');
  value.append(...parts);
  at('facts').append(make('dt', name), value);
}

function showPane() {
  at('detail').hidden = false;
  at('panes').classList.add('open');
  drawSoon();
}

function close() {
  if (at('detail').hidden) return;
  const event = opened;
  opened = null;
  at('detail').hidden = true;
  at('panes').classList.remove('open');
  draw();
  const place = event ? placeOf(event) : -1;
  if (event && shown.length) focusRow(Math.max(0, place)); else document.querySelector('[data-opens-pane]').focus();
}

function walk(step) {
  const event = opened && eventAt(placeOf(opened) + step);
  if (!event || placeOf(opened) < 0) return;
  roving = event;
  open(event);
}

at('close').addEventListener('click', close);
at('newer').addEventListener('click', () => walk(-1));
at('older').addEventListener('click', () => walk(1));
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });
