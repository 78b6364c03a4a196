// A fine-tuning while it runs. `element`, `props` and `watch` come from gr.HTML.

const root = element.querySelector('.mv-root');
const seen = { view: null, at: 0, round: null, lists: {} };
const percent = { yaxis: { tickformat: '.0%', rangemode: 'tozero' } };
const watched = { x: 'step', ...percent, marks: stopMark };
const charts = {
  loss: makeChart('Loss', { x: 'step' }),
  probes: makeChart('Watched prompts', watched),
  gate: makeChart('Skipped, by timestep', { x: 'timestep (0 = no noise)', ...percent }),
  bank: makeChart('Loss bank, by timestep', { x: 'timestep (0 = no noise)', yaxis: { rangemode: 'tozero' } }),
};
const measure = h('select', { class: 'mv-select', 'aria-label': 'Measure of the watched prompts' });
measure.addEventListener('change', () => drawProbes(seen.view));
const ui = build();

function build() {
  const name = charts.probes.node.querySelector('h3');
  const line = h('div', { class: 'mv-chartname' });
  name.replaceWith(line);
  line.append(name, measure);
  const title = h('h2', { class: 'mv-result' });
  const chipBox = h('span', { class: 'mv-job' });
  const words = h('p', { class: 'mv-jobwords', role: 'status' });
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
  const facts = h('p', { class: 'mv-soft' });
  const beat = h('p', { class: 'mv-beat' });
  const best = h('p', {}, 'The newest weights that copy no more than the first, for any list of models: ', h('code', {}));
  const head = h('header', { class: 'mv-trainhead' }, h('div', {}, title, chipBox), words, bar, facts, best, beat);
  const grid = h('div', { class: 'mv-charts' }, ...Object.values(charts).map((chart) => chart.node));
  const early = h('p', { class: 'mv-soft' }, 'Curves and pictures come with the first look and the first steps.');
  const pictures = pictureBox();
  const leaders = h('ol', { class: 'mv-next' });
  const board = h('section', {}, h('h3', {}, 'Skipped most often'), leaders);
  const log = h('pre', { class: 'mv-log', tabindex: 0, 'aria-label': 'Log' });
  const command = h('code', {});
  const copy = h('button', { type: 'button', class: 'mv-button' }, 'Copy command');
  copy.addEventListener('click', () => copyText(seen.view.command, copy));
  const same = h('div', { class: 'mv-command' }, command, copy);
  const details = h('details', { class: 'mv-details', open: true }, h('summary', {}, 'Log and command'), log, same);
  const note = h('p', { class: 'mv-opening', role: 'status' }, 'No training was started yet.');
  const app = h('section', { class: 'mv-train', 'aria-label': 'Training', hidden: true });
  app.append(head, early, grid, pictures.node, board, details);
  root.replaceChildren(note, app);
  return { app, note, title, chipBox, words, bar, facts, best, beat, early, grid, pictures, board, leaders, log, command };
}

// One slider through the rounds moves every probe picture.
function pictureBox() {
  const range = h('input', { type: 'range', min: 0, max: 0, step: 1, class: 'mv-range', 'aria-label': 'Look' });
  const out = h('output', { class: 'mv-readout' });
  const grid = h('div', { class: 'mv-probes' });
  const bar = h('div', { class: 'mv-roundbar' }, range, out);
  const node = h('section', {}, h('h3', {}, 'The same prompts and noise, look by look'), bar, grid);
  range.addEventListener('input', () => showRound(Number(range.value), true));
  return { node, range, out, grid };
}

// ---- drawing -------------------------------------------------------------------------------

function draw(view) {
  if (view?.note) ui.note.textContent = view.note;
  ui.note.hidden = Boolean(view?.id);
  ui.app.hidden = !view?.id;
  if (!view?.id) return;
  if (seen.view?.id !== view.id) Object.assign(seen, { round: null, lists: {} });
  Object.assign(seen, { view, at: Date.now() });
  drawHead(view);
  const measured = view.loss.x.length > 0 || view.rounds.length > 0;
  ui.grid.hidden = !measured;
  ui.early.hidden = measured || view.over;
  charts.loss.draw(view.id, view.said.loss, (colours) => lossLines(view, colours));
  charts.loss.node.hidden = view.kind !== 'train';
  drawProbes(view);
  charts.gate.draw(view.id, view.said.gate, (colours) => gateLines(view, colours, 'skipped_by_t'));
  charts.bank.draw(view.id, view.said.bank, (colours) => gateLines(view, colours, 'bank_by_t'));
  for (const name of ['gate', 'bank']) charts[name].node.hidden = !view.gates.length;
  drawRounds(view);
  drawLeaders(view);
  drawLog(view);
  remember(view);
}

function drawProbes(view) {
  if (!measure.options.length) {
    measure.append(...Object.entries(view.measures).map(([value, text]) => h('option', { value }, text)));
  }
  const name = measure.value;
  watched.yaxis = name === 'copied' ? percent.yaxis : {};
  charts.probes.draw(`${view.id} ${name}`, view.said.probes[name], (colours) => probeLines(view, name, colours));
}

function stopMark() {
  const x = seen.view?.stop_step;
  return x === null || x === undefined ? [] : [{ x, text: 'stop here' }];
}

function drawHead(view) {
  ui.title.textContent = view.title;
  ui.chipBox.textContent = view.state;
  ui.chipBox.dataset.state = view.state;
  ui.words.textContent = view.words;
  const { step, steps, left, size } = view.progress;
  ui.bar.hidden = !steps;
  ui.bar.max = steps || 1;
  ui.bar.value = step;
  ui.bar.textContent = `${step} of ${steps}`;
  const place = steps ? `Step ${big(step)} of ${big(steps)}` : '';
  const running = view.state === 'running' && left ? left : '';
  ui.facts.textContent = [place, running, size].filter(Boolean).join(' · ');
  ui.best.hidden = !view.best;
  ui.best.querySelector('code').textContent = view.best ?? '';
  tick();
}

function big(number) {
  return Number(number ?? 0).toLocaleString('en');
}

// The age of the last sign of life counts on by itself; five usual pauses without one look wrong.
function tick() {
  const { view } = seen;
  const quiet = view?.silence === null || view?.silence === undefined;
  ui.beat.hidden = quiet;
  if (quiet) return;
  const age = view.silence + (Date.now() - seen.at) / 1000;
  const late = age > Math.max(10, 5 * (view.pace ?? 0));
  ui.beat.classList.toggle('mv-late', late);
  const pace = view.pace ? `; usual: every ${view.pace.toFixed(1)} s` : '';
  ui.beat.textContent = `Last sign of life ${age.toFixed(0)} s ago${late ? pace : ''}`;
}

function changed(name, value) {
  const text = JSON.stringify(value);
  if (seen.lists[name] === text) return false;
  seen.lists[name] = text;
  return true;
}

function drawRounds(view) {
  const { range } = ui.pictures;
  const some = view.rounds.filter((round) => round.pictures.length);
  ui.pictures.node.hidden = !some.length;
  if (!some.length || !changed('rounds', some)) return;
  seen.some = some;
  range.max = some.length - 1;
  showRound(seen.round ?? some.length - 1, false);
}

function showRound(index, chosen) {
  const round = seen.some[Math.min(index, seen.some.length - 1)];
  if (chosen) seen.round = index === seen.some.length - 1 ? null : index; // at the end: follow
  ui.pictures.range.value = index;
  ui.pictures.out.textContent = round.name;
  ui.pictures.range.setAttribute('aria-valuetext', round.name);
  const groups = Map.groupBy(round.pictures, (picture) => picture.group);
  const nodes = [...groups].map(([group, pictures]) => groupNode(group, pictures));
  ui.pictures.grid.replaceChildren(...nodes);
}

function groupNode(group, pictures) {
  const label = seen.view.probes[group]?.label ?? group;
  const row = h('div', { class: 'mv-probe' }, ...pictures.map(probeNode));
  return h('section', {}, h('h4', {}, `Prompts ${label}`), row);
}

function probeNode(picture) {
  const similarity = picture.similarity === null ? 'not compared' : `similarity ${say(picture.similarity)}`;
  const image = h('img', { src: picture.src && address(picture.src), alt: `${picture.prompt}: ${similarity}` });
  return h('figure', { title: picture.prompt }, image, h('figcaption', {}, picture.prompt, h('span', {}, similarity)));
}

function drawLeaders(view) {
  ui.board.hidden = !view.leaders.length;
  if (!changed('leaders', view.leaders)) return;
  ui.leaders.replaceChildren(...view.leaders.map(leaderNode));
}

function leaderNode(item) {
  const image = item.src ? h('img', { src: address(item.src), alt: '', loading: 'lazy' }) : '';
  const often = `skipped ${big(item.skipped)} of ${big(item.seen)} times`;
  const copies = item.copies > 1 ? `, ${big(item.copies)} copies in the data` : '';
  return h('li', {}, image, h('span', {}, item.caption), h('span', { class: 'mv-soft' }, often + copies));
}

function drawLog(view) {
  ui.command.textContent = view.command;
  const text = view.log.join('\n') || 'Nothing was printed yet.';
  if (ui.log.textContent === text) return;
  const end = ui.log.scrollHeight - ui.log.scrollTop - ui.log.clientHeight < 8;
  ui.log.textContent = text;
  if (end) ui.log.scrollTop = ui.log.scrollHeight;
}

function remember(view) {
  const url = new URL(location.href);
  if (url.searchParams.get('job') === view.id || !element.offsetParent) return;
  url.searchParams.set('job', view.id);
  history.replaceState(history.state, '', url.href);
}

setInterval(tick, 1000);
watch('value', () => draw(props.value));
draw(props.value);
