// A fine-tuning while it runs.

import { fileAddress, formatNumber, h, isMissing } from '../shared/dom.js';
import { makeJobAddress, makeJobHead, makeJobLog } from '../shared/job_frame.js';
import { lifetimeOf, repeat } from '../shared/lifetime.js';
import { gateTraces, lossTraces, makeChart, probeTraces } from './charts.js';

/**
 * @typedef {import('../views').TrainView} View
 * @typedef {import('../views').ProbeMeasure} ProbeMeasure
 * @typedef {import('../views').ProbePicture} ProbePicture
 * @typedef {import('../shared/plot.js').Layout} Layout
 */

const BEST = 'The newest weights that copy no more than the first, for any list of models: ';
const EARLY = 'Curves and pictures come with the first look and the first steps.';

/** @param {import('../shared/gradio').Context<View | { note: string }>} context */
export function mount({ element, props, watch }) {
  const lifetime = lifetimeOf(element);
  /** @type {View | null} */
  let view = null;
  let seenAt = 0; // when the view came
  /** Looks with pictures. @type {View['rounds']} */
  let rounds = [];
  /** The look that a person chose; none follows the newest. @type {number | null} */
  let chosenRound = null;
  /** What is drawn already, as text, by list. @type {Record<string, string>} */
  let drawn = {};

  const percent = { tickformat: '.0%', rangemode: 'tozero' };
  /** @type {import('./charts.js').Axes} */
  const probeAxes = { x: 'step', yaxis: percent, marks: stopMarks };
  const t = 'timestep (0 = no noise)';
  const charts = {
    loss: makeChart(lifetime, 'Loss', { x: 'step' }),
    probes: makeChart(lifetime, 'Watched prompts', probeAxes),
    gate: makeChart(lifetime, 'Skipped, by timestep', { x: t, yaxis: percent }),
    bank: makeChart(lifetime, 'Loss bank, by timestep', { x: t, yaxis: { rangemode: 'tozero' } }),
  };
  const measure = h('select', {
    class: 'mv-select',
    'aria-label': 'Measure of the watched prompts',
    onchange: () => view && drawProbes(view),
  });
  charts.probes.head.append(measure);
  const remember = makeJobAddress(element, 'job');
  const ui = build();

  function build() {
    const beat = h('p', { class: 'mv-beat' });
    const model = h('code');
    const best = h('p', {}, BEST, model);
    const head = makeJobHead(best, beat);
    const figures = Object.values(charts).map((chart) => chart.node);
    const grid = h('div', { class: 'mv-charts' }, ...figures);
    const early = h('p', { class: 'mv-soft' }, EARLY);
    const pictures = pictureBox();
    const leaders = h('ol', { class: 'mv-next' });
    const board = h('section', {}, h('h3', {}, 'Skipped most often'), leaders);
    const end = makeJobLog(true);
    const note = h('p', { class: 'mv-opening', role: 'status' }, 'No training was started yet.');
    const looks = { class: 'mv-train', 'aria-label': 'Training', hidden: true };
    const app = h('section', looks, head.node, early, grid, pictures.node, board, end.node);
    element.querySelector('.mv-root')?.replaceChildren(note, app);
    return { ...head, ...end, app, note, beat, best, model, grid, early, pictures, board, leaders };
  }

  // One slider through the rounds moves every probe picture.
  function pictureBox() {
    const range = h('input', {
      type: 'range',
      min: 0,
      max: 0,
      step: 1,
      class: 'mv-range',
      'aria-label': 'Look',
      oninput: () => chooseRound(Number(range.value)),
    });
    const out = h('output', { class: 'mv-readout' });
    const grid = h('div', { class: 'mv-probes' });
    const bar = h('div', { class: 'mv-roundbar' }, range, out);
    const title = h('h3', {}, 'The same prompts and noise, look by look');
    return { node: h('section', {}, title, bar, grid), range, out, grid };
  }

  // ---- drawing -----------------------------------------------------------------------------

  function draw() {
    const next = props.value;
    const known = next && 'id' in next;
    ui.note.hidden = Boolean(known);
    ui.app.hidden = !known;
    if (next && 'note' in next) ui.note.textContent = next.note;
    if (!known) return;
    if (view?.id !== next.id) {
      chosenRound = null;
      drawn = {};
    }
    view = next;
    seenAt = Date.now();
    drawHead(view);
    drawCharts(view);
    drawRounds(view);
    drawLeaders(view);
    drawLog(view);
    remember(view.id);
  }

  /** @param {View} shown */
  function drawCharts(shown) {
    const { id, said, gates } = shown;
    const measured = shown.loss.x.length > 0 || shown.rounds.length > 0;
    ui.grid.hidden = !measured;
    ui.early.hidden = measured || shown.over;
    charts.loss.node.hidden = shown.kind !== 'train';
    charts.gate.node.hidden = !gates.length;
    charts.bank.node.hidden = !gates.length;
    charts.loss.draw(id, said.loss, (colors) => lossTraces(shown, colors));
    charts.gate.draw(id, said.gate, (colors) => gateTraces(shown, colors, 'skipped_by_t'));
    charts.bank.draw(id, said.bank, (colors) => gateTraces(shown, colors, 'bank_by_t'));
    drawProbes(shown);
  }

  /** @param {View} shown */
  function drawProbes(shown) {
    if (!measure.options.length) {
      const options = Object.entries(shown.measures);
      measure.append(...options.map(([value, text]) => h('option', { value }, text)));
    }
    const name = /** @type {ProbeMeasure} */ (measure.value);
    probeAxes.yaxis = name === 'copied' ? percent : {};
    const words = shown.said.probes[name];
    charts.probes.draw(`${shown.id} ${name}`, words, (colors) => probeTraces(shown, name, colors));
  }

  function stopMarks() {
    const x = view?.stop_step;
    return isMissing(x) ? [] : [{ x, text: 'stop here' }];
  }

  /** @param {View} shown */
  function drawHead(shown) {
    ui.title.textContent = shown.title;
    ui.state.textContent = shown.state;
    ui.state.dataset.state = shown.state;
    ui.words.textContent = shown.words;
    const { step, steps, left, size } = shown.progress;
    ui.bar.hidden = !steps;
    ui.bar.max = steps || 1;
    ui.bar.value = step ?? 0;
    ui.bar.textContent = `${step} of ${steps}`;
    const place = steps ? `Step ${formatCount(step)} of ${formatCount(steps)}` : '';
    const running = shown.state === 'running' ? left : '';
    ui.facts.textContent = [place, running, size].filter(Boolean).join(' · ');
    ui.best.hidden = !shown.best;
    ui.model.textContent = shown.best;
    tick();
  }

  // The age of the last sign of life counts on by itself; five usual pauses without one look wrong.
  function tick() {
    const quiet = isMissing(view?.silence);
    ui.beat.hidden = quiet;
    if (!view || isMissing(view.silence)) return;
    const age = view.silence + (Date.now() - seenAt) / 1000;
    const late = age > Math.max(10, 5 * (view.pace ?? 0));
    ui.beat.classList.toggle('mv-late', late);
    const pace = view.pace && late ? `; usual: every ${view.pace.toFixed(1)} s` : '';
    ui.beat.textContent = `Last sign of life ${age.toFixed(0)} s ago${pace}`;
  }

  /**
   * Whether a list differs from what is drawn of it.
   * @param {string} name
   * @param {unknown} value
   */
  function hasChanged(name, value) {
    const text = JSON.stringify(value);
    const changed = drawn[name] !== text;
    drawn[name] = text;
    return changed;
  }

  /** @param {View} shown */
  function drawRounds(shown) {
    rounds = shown.rounds.filter((round) => round.pictures.length);
    ui.pictures.node.hidden = !rounds.length;
    if (!rounds.length || !hasChanged('rounds', rounds)) return;
    ui.pictures.range.max = String(rounds.length - 1);
    showRound(chosenRound ?? rounds.length - 1);
  }

  /** @param {number} index */
  function chooseRound(index) {
    chosenRound = index === rounds.length - 1 ? null : index;
    showRound(index);
  }

  /** @param {number} index */
  function showRound(index) {
    const round = rounds[Math.min(index, rounds.length - 1)];
    ui.pictures.range.value = String(index);
    ui.pictures.out.textContent = round.name;
    ui.pictures.range.setAttribute('aria-valuetext', round.name);
    const groups = Map.groupBy(round.pictures, (picture) => picture.group);
    const nodes = [...groups].map(([group, pictures]) => {
      const label = view?.probes[group]?.label ?? group;
      const row = h('div', { class: 'mv-probe' }, ...pictures.map(probeNode));
      return h('section', {}, h('h4', {}, `Prompts ${label}`), row);
    });
    ui.pictures.grid.replaceChildren(...nodes);
  }

  /** @param {View} shown */
  function drawLeaders({ leaders }) {
    ui.board.hidden = !leaders.length;
    if (hasChanged('leaders', leaders)) ui.leaders.replaceChildren(...leaders.map(leaderNode));
  }

  /** @param {View} shown */
  function drawLog(shown) {
    ui.command.textContent = shown.command;
    const text = shown.log.join('\n') || 'Nothing was printed yet.';
    if (ui.log.textContent === text) return;
    const { scrollHeight, scrollTop, clientHeight } = ui.log;
    ui.log.textContent = text;
    if (scrollHeight - scrollTop - clientHeight < 8) ui.log.scrollTop = ui.log.scrollHeight;
  }

  repeat(1000, lifetime, tick);
  watch('value', draw);
  draw();
}

/** @param {number | null | undefined} number */
function formatCount(number) {
  return Number(number ?? 0).toLocaleString('en');
}

/** @param {ProbePicture} picture */
function probeNode({ prompt, similarity, src }) {
  const words = isMissing(similarity) ? 'not compared' : `similarity ${formatNumber(similarity)}`;
  const image = h('img', { src: src && fileAddress(src), alt: `${prompt}: ${words}` });
  const caption = h('figcaption', {}, prompt, h('span', {}, words));
  return h('figure', { title: prompt }, image, caption);
}

/** @param {import('../views').Leader} leader */
function leaderNode({ src, caption, skipped, seen, copies }) {
  const image = src ? h('img', { src: fileAddress(src), alt: '', loading: 'lazy' }) : '';
  const often = `skipped ${formatCount(skipped)} of ${formatCount(seen)} times`;
  const many = copies > 1 ? `, ${formatCount(copies)} copies in the data` : '';
  return h('li', {}, image, h('span', {}, caption), h('span', { class: 'mv-soft' }, often + many));
}
