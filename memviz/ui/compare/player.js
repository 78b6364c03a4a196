// The player: one step for every picture and every curve. `element`, `props` and `watch` come from gr.HTML.

const FPS = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : 8;
const KEYS = [
  ['Left, Right', 'one step back, one step on (with the slider in focus)'],
  ['Home, End', 'first and last step'],
  ['Space', 'play and pause'],
  ['T', 'go to the step where guidance comes on in the chosen picture'],
  ['Enter', 'open the chosen picture beside its training image'],
  ['?', 'show this list'],
];

const state = { view: null, step: 0, selected: 0, follow: false, pair: null, cells: [], timer: null };
const root = element.querySelector('.mv-root');
const actions = {
  go: (step) => userStep(step),
  select: (number) => {
    ui.app.classList.add('mv-picking'); // from now on show which one is chosen
    choose(number);
  },
  jump: (number) => jump(number),
  open: (number) => pair.open(state.view, number),
  opened: (number) => remember({ pair: number }),
  closed: () => remember({ pair: null }),
};

const pair = makePair(actions);
const curves = makeCurves(props.plotly_path, actions);
const table = makeTable(() => state);
const keys = keysDialog();
const ui = build();

function build() {
  const result = h('h2', { class: 'mv-result', 'aria-live': 'polite' });
  const prompt = h('p', { class: 'mv-prompt' });
  const facts = h('dl', { class: 'mv-facts' });
  const link = h('button', { type: 'button', class: 'mv-button' }, 'Copy link');
  link.addEventListener('click', () => copyText(permalink(), link));
  const about = h('details', { class: 'mv-details' }, h('summary', {}, 'About this run'), facts);
  const grid = h('div', { class: 'mv-grid' });
  const words = h('div', { class: 'mv-words' });
  const side = h('div', { class: 'mv-side' }, curves.node, words, table.node, about);
  const bar = scrubBar();
  const head = h('header', { class: 'mv-head' }, h('div', {}, result, prompt), link);
  const main = h('div', { class: 'mv-main' }, grid, side);
  const note = h('p', { class: 'mv-opening', role: 'status' }, 'Opening …');
  const app = h('section', { class: 'mv-app', 'aria-label': 'Run', hidden: true }, head, main, bar.node);
  root.replaceChildren(note, app, pair.node, keys);
  return { app, note, result, prompt, facts, grid, words, about, side, link, ...bar };
}

function scrubBar() {
  const play = h('button', { type: 'button', class: 'mv-button mv-play' }, 'Play');
  const range = h('input', { type: 'range', min: 0, step: 1, class: 'mv-range', 'aria-label': 'Step' });
  const ticks = h('div', { class: 'mv-ticks', 'aria-hidden': 'true' });
  const readout = h('output', { class: 'mv-readout' });
  const jumpTo = h('button', { type: 'button', class: 'mv-button', title: 'Key T' }, 'Go to switch');
  const help = h('button', { type: 'button', class: 'mv-button', 'aria-label': 'Keys' }, '?');
  play.addEventListener('click', togglePlay);
  range.addEventListener('input', () => userStep(Number(range.value)));
  jumpTo.addEventListener('click', () => jump(state.selected));
  help.addEventListener('click', () => keys.showModal());
  const track = h('div', { class: 'mv-track' }, ticks, range);
  const node = h('div', { class: 'mv-bar' }, play, track, readout, jumpTo, help);
  return { node, play, range, ticks, readout, bar: node };
}

function keysDialog() {
  const list = h('dl', { class: 'mv-facts' });
  for (const [key, text] of KEYS) list.append(h('dt', {}, h('kbd', {}, key)), h('dd', {}, text));
  const close = h('button', { type: 'button', class: 'mv-button' }, 'Close');
  const title = h('h2', { id: 'mv-keystitle', tabindex: -1, autofocus: true }, 'Keys');
  const bar = h('div', { class: 'mv-pairbar' }, title, close);
  const node = h('dialog', { class: 'mv-dialog mv-small', 'aria-labelledby': 'mv-keystitle' }, bar, list);
  close.addEventListener('click', () => node.close());
  return node;
}

// ---- drawing -------------------------------------------------------------------------------

function draw(view) {
  if (view?.note) ui.note.textContent = view.note;
  if (!view?.cells) return;
  const fresh = state.view?.id !== view.id || state.cells.length !== view.cells.length;
  const finished = state.view?.live && !view.live;
  state.view = view;
  if (fresh) start(view);
  view.cells.forEach((cell, index) => state.cells[index].update(view, cell));
  drawWords(view);
  ui.range.max = Math.max(1, (view.live ? view.steps : view.step) - 1);
  drawTicks(view);
  if (state.follow) state.step = Math.max(0, view.step - 1);
  curves.draw(view);
  show(state.step);
  table.fill();
  if (finished) remember({ follow: false });
  if (fresh && view.live) {
    remember();
    reveal();
  }
}

function start(view) {
  stopPlay();
  const asked = new URLSearchParams(location.search);
  const ours = asked.get('run') === view.id;
  const step = ours && asked.has('t') ? Number(asked.get('t')) : NaN;
  state.follow = view.live;
  state.selected = 0;
  state.step = Number.isInteger(step) && step >= 0 ? Math.min(step, view.step - 1) : view.step - 1;
  state.cells = view.cells.map((cell) => makeCell(view, cell, actions));
  ui.grid.replaceChildren(...groups(view));
  ui.note.hidden = true;
  ui.app.hidden = false;
  choose(firstSwitch(view) ?? 0);
  if (ours && asked.has('cell')) pair.open(view, Number(asked.get('cell')));
}

// On a small screen the pictures of a new run would appear out of sight.
function reveal() {
  if (ui.app.getBoundingClientRect().top < innerHeight * 0.7) return;
  ui.app.scrollIntoView({ block: 'start', behavior: FPS === 1 ? 'auto' : 'smooth' });
}

// One row per prompt and seed, one column per method.
function groups(view) {
  const rows = new Map();
  for (const cell of view.cells) {
    const key = JSON.stringify([cell.prompt, cell.seed]);
    rows.set(key, [...(rows.get(key) ?? []), cell]);
  }
  return [...rows.values()].map((cells) => {
    const [first] = cells;
    const hash = view.noise[first.seed];
    const noise = hash ? ` Same starting noise for all (${hash.slice(0, 8)}).` : '';
    const prompt = view.prompts.length > 1 ? ` “${first.prompt}”` : '';
    const title = h('h3', {}, `Seed ${first.seed}`, h('span', { class: 'mv-soft' }, prompt + noise));
    const row = h('div', { class: 'mv-row' }, ...cells.map((c) => state.cells[c.cell].node));
    row.style.setProperty('--mv-columns', Math.min(4, cells.length));
    return h('section', { class: 'mv-group' }, title, row);
  });
}

function drawWords(view) {
  if (ui.result.textContent !== view.result) ui.result.textContent = view.result;
  ui.app.classList.toggle('mv-live', view.live);
  const many = view.prompts.length > 1 ? ` and ${view.prompts.length - 1} more` : '';
  ui.prompt.replaceChildren('Prompt: ', h('q', {}, view.prompts[0]), many);
  const pairs = view.facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value)]);
  ui.facts.replaceChildren(...pairs);
  const said = PANELS.filter((p) => view.summaries[p.name]).map((p) => h('li', {}, view.summaries[p.name]));
  ui.words.replaceChildren(said.length ? h('ul', { 'aria-label': 'The curves in words' }, ...said) : '');
}

function drawTicks(view) {
  const marks = view.cells.filter((cell) => Number.isInteger(cell.transition_step));
  const nodes = marks.map((cell) => {
    const tick = h('span', {}, symbol(view.methods[cell.method] ?? { color: 0 }));
    tick.style.left = `${(cell.transition_step / Number(ui.range.max)) * 100}%`;
    return tick;
  });
  ui.ticks.replaceChildren(...nodes);
}

function show(step) {
  state.step = Math.max(0, Math.min(step, state.view.step - 1));
  for (const cell of state.cells) cell.show(state.step);
  curves.cursor(state.step);
  table.mark(state.step);
  ui.range.value = state.step;
  const t = state.view.timesteps[state.step];
  const place = `step ${state.step} of ${Number(ui.range.max)}`;
  ui.readout.replaceChildren(place, h('span', {}, t === undefined ? '' : `, t=${t}`));
  ui.range.setAttribute('aria-valuetext', `${ui.readout.textContent}${chosenWords()}`);
}

function chosenWords() {
  const cell = state.view.cells[state.selected];
  const near = cell?.trace.similarity[state.step];
  if (near === null || near === undefined) return '';
  return `, ${who(state.view, cell)}, similarity ${say(near)}`;
}

// ---- moving --------------------------------------------------------------------------------

function userStep(step) {
  state.follow = state.view.live && step >= state.view.step - 1;
  show(step);
  remember();
}

function choose(number) {
  state.selected = number;
  for (const [index, cell] of state.cells.entries()) cell.node.classList.toggle('mv-on', index === number);
  curves.select(number);
  table.fill();
}

function firstSwitch(view) {
  return view.cells.find((cell) => Number.isInteger(cell.transition_step))?.cell;
}

function jump(number) {
  const step = state.view.cells[number]?.transition_step;
  if (Number.isInteger(step)) {
    choose(number);
    userStep(step);
  } else {
    ui.readout.textContent = `${who(state.view, state.view.cells[number])} never switches`;
  }
}

function togglePlay() {
  if (state.timer) return stopPlay();
  if (state.step >= state.view.step - 1) show(0);
  state.timer = setInterval(playOn, 1000 / FPS);
  ui.play.textContent = 'Pause';
}

function playOn() {
  if (state.step >= state.view.step - 1) stopPlay();
  else userStep(state.step + 1);
}

function stopPlay() {
  clearInterval(state.timer);
  state.timer = null;
  ui.play.textContent = 'Play';
}

// ---- address and keys ----------------------------------------------------------------------

function permalink() {
  const url = new URL(location.href);
  url.searchParams.set('run', state.view.id);
  if (state.view.with) url.searchParams.set('with', state.view.with);
  else url.searchParams.delete('with');
  url.searchParams.set('t', state.step);
  if (state.pair === null) url.searchParams.delete('cell');
  else url.searchParams.set('cell', state.pair);
  return url.href;
}

function remember(change = {}) {
  Object.assign(state, change);
  clearTimeout(state.later); // browsers refuse hundreds of these in a few seconds
  state.later = setTimeout(() => history.replaceState(history.state, '', permalink()), 150);
}

function onKey(event) {
  const typing = event.target.closest('input:not([type=range]), textarea, select, dialog');
  if (typing || !state.view || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!element.offsetParent || !(element.contains(event.target) || event.target === document.body)) return;
  const press = event.target.closest('button, summary, a');
  if (event.key === 't' || event.key === 'T') jump(state.selected);
  else if (event.key === '?') keys.showModal();
  else if (event.key === ' ' && !press) togglePlay();
  else return;
  event.preventDefault();
}

document.addEventListener('keydown', onKey);
watch('value', () => draw(props.value));
draw(props.value);
