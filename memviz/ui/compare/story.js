// The story of a run, above its grid: four questions with their answers, and a tour through them.

import { button, fileAddress, h, svg } from '../shared/dom.js';
import { keep, recall } from '../shared/remember.js';
import { openTab } from '../shared/tabs.js';
import { isTiny, methodOf } from './names.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 */

const SEEN = 'memviz.tour';
const WIDE = 300;
const HIGH = 150;
/** @type {[string, string][]} a question, and what to try there */
const STEPS = [
  ['What was copied?', 'Press the picture to lay the two over each other.'],
  ['When was it decided?', 'Drag the slider at the bottom of the page through the steps.'],
  ['What changes it?', 'Choose methods below the prompt and press Compare.'],
  ['Is it yours?', 'Try a picture that you made.'],
];

/** @param {{ open: (cell: number) => void, go: (step: number) => void }} actions */
export function makeStory(actions) {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  /** @type {HTMLElement[]} */
  let cards = [];
  let step = recall(SEEN) ? -1 : 0; // of the tour; -1 outside it
  const title = h('h2', { class: 'mv-storytitle' });
  const said = h('p', { class: 'mv-tourwords', 'aria-live': 'polite' });
  const back = button('Back', { onclick: () => turn(step - 1) });
  const next = button('Next', { onclick: () => turn(step + 1) });
  const leave = button('Leave the tour', { onclick: () => end() });
  const again = button('Take the tour', { onclick: () => turn(0) });
  const bar = h('div', { class: 'mv-tour' }, said, back, next, leave, again);
  const list = h('div', { class: 'mv-cards' });
  const node = h('section', { class: 'mv-story', 'aria-label': 'The story', hidden: true });
  node.append(h('header', { class: 'mv-head' }, title), bar, list);
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && step >= 0) end();
  });

  function show() {
    const open = step >= 0;
    for (const [i, card] of cards.entries()) card.classList.toggle('mv-here', i === step);
    said.hidden = !open;
    said.textContent = open ? tourWords(step) : '';
    back.hidden = !open || step === 0;
    next.hidden = !open;
    next.textContent = step === STEPS.length - 1 ? 'Done' : 'Next';
    leave.hidden = !open || step === STEPS.length - 1;
    again.hidden = open;
  }

  /** @param {number} to */
  function turn(to) {
    if (to >= STEPS.length) {
      end();
      return;
    }
    step = to;
    show();
    const behavior = calm ? 'auto' : 'smooth';
    cards[step]?.scrollIntoView({ block: 'nearest', behavior });
  }

  function end() {
    step = -1;
    keep(SEEN, 'seen');
    show();
    again.focus();
  }

  /** @param {View} view */
  const draw = (view) => {
    const { story } = view;
    node.hidden = !story;
    if (!story) return;
    title.textContent = story.title;
    cards = storyCards(view, story, actions);
    list.replaceChildren(...cards);
    show();
  };
  return { node, draw };
}

/** @param {number} step */
function tourWords(step) {
  const [question, hint] = STEPS[step];
  return `${step + 1} of ${STEPS.length}. ${question} ${hint}`;
}

/**
 * @param {View} view
 * @param {NonNullable<View['story']>} story
 * @param {{ open: (cell: number) => void, go: (step: number) => void }} actions
 */
function storyCards(view, story, actions) {
  const [copy, other] = [view.cells[story.copy], view.cells[story.other]];
  const twins = h(
    'div',
    { class: 'mv-twin' },
    pictureButton(view, copy, 'Generated', actions),
    trainingPicture(view, copy),
  );
  const look = button('Look a picture up', { onclick: () => openTab('neighbours') });
  const train = button('Train a model', { onclick: () => openTab('train') });
  const ways = h('div', { class: 'mv-ways' }, look, train);
  const pictures = [
    twins,
    similarityChart(view, copy, other, story.step),
    pictureButton(view, other, methodOf(view, other)?.label ?? other.method, actions),
    ways,
  ];
  const words = [story.copied, story.decided, story.changed, story.yours];
  return STEPS.map(([question], i) =>
    h('article', { class: 'mv-card' }, h('h3', {}, question), pictures[i], h('p', {}, words[i])),
  );
}

/**
 * @param {View} view
 * @param {Cell} cell
 * @param {string} name
 * @param {{ open: (cell: number) => void }} actions
 */
function pictureButton(view, cell, name, actions) {
  const src = fileAddress(view.base + cell.image);
  const label = `${name}: open beside its nearest training image`;
  const looks = { class: isTiny(view) ? 'mv-crisp' : null, src, alt: '' };
  const picture = h('button', { type: 'button', class: 'mv-storypic', 'aria-label': label });
  picture.append(h('img', looks));
  picture.addEventListener('click', () => actions.open(cell.cell));
  return h('figure', {}, picture, h('figcaption', {}, name));
}

/**
 * @param {View} view
 * @param {Cell} cell
 */
function trainingPicture(view, { match }) {
  if (!match) return null;
  const alt = `Training image ${match.id}: ${match.caption}`;
  const src = fileAddress(view.base + match.image);
  const image = h('img', { class: isTiny(view) ? 'mv-crisp' : null, src, alt });
  return h('figure', {}, image, h('figcaption', {}, `Training image #${match.id}`));
}

/**
 * Similarity along the steps of both pictures, with the mark of a copy.
 * @param {View} view
 * @param {Cell} copy
 * @param {Cell} other
 * @param {number | null} step
 */
function similarityChart(view, copy, other, step) {
  const curves = [copy, other].map((cell) => cell.trace.similarity);
  const mark = view.thresholds.copied;
  const low = lowest([...curves.flat(), mark ?? null]);
  /** @param {number} value */
  const y = (value) => HIGH * (1 - (value - low) / (1 - low));
  const words = `Similarity of each step's estimate to its nearest training image, ${low} to 1`;
  const looks = { viewBox: `-34 -8 ${WIDE + 84} ${HIGH + 34}`, role: 'img', 'aria-label': words };
  const chart = svg('svg', looks);
  const frame = { fill: 'none', stroke: 'var(--mv-rule)' };
  chart.append(svg('path', { d: `M0 0V${HIGH}H${WIDE}`, ...frame }));
  const text = { 'font-size': 12, fill: 'currentColor' };
  chart.append(
    svg('text', { x: -6, y: 5, 'text-anchor': 'end', ...text }, '1'),
    svg('text', { x: -6, y: HIGH, 'text-anchor': 'end', ...text }, low.toFixed(1)),
    svg('text', { x: 0, y: HIGH + 18, ...text }, 'noise'),
    svg('text', { x: WIDE, y: HIGH + 18, 'text-anchor': 'end', ...text }, 'picture'),
  );
  if (mark) {
    const dotted = { stroke: 'currentColor', 'stroke-dasharray': '2 3', fill: 'none' };
    chart.append(svg('path', { d: `M0 ${y(mark)}H${WIDE}`, ...dotted }));
    if (step !== null) {
      const x = (step / Math.max(1, copy.trace.similarity.length - 1)) * WIDE;
      chart.append(svg('path', { d: `M${x} 0V${HIGH}`, ...dotted }));
      chart.append(
        svg('text', { x, y: HIGH + 18, 'text-anchor': 'middle', ...text }, `step ${step}`),
      );
    }
  }
  for (const [i, cell] of [copy, other].entries()) {
    const method = methodOf(view, cell);
    const line = { stroke: `var(--mv-c${method?.color ?? 0})`, 'stroke-width': 2.5, fill: 'none' };
    /** @type {Record<string, string>} */
    const dash = i ? { 'stroke-dasharray': '7 4' } : {};
    chart.append(svg('path', { d: curvePath(curves[i], WIDE, y), ...line, ...dash }));
    const last = curves[i].findLast((value) => value !== null) ?? 0;
    const place = { x: WIDE + 6, y: y(last) + 4, ...text };
    chart.append(svg('text', place, method?.short ?? cell.method));
  }
  return h('div', { class: 'mv-storychart' }, chart);
}

/**
 * The tenth below the lowest value.
 * @param {readonly (number | null)[]} values
 */
export function lowest(values) {
  const found = values.filter((value) => value !== null);
  return Math.max(0, Math.floor(10 * Math.min(0.9, ...found)) / 10);
}

/**
 * @param {readonly (number | null)[]} values
 * @param {number} width
 * @param {(value: number) => number} y
 */
export function curvePath(values, width, y) {
  const gap = width / Math.max(1, values.length - 1);
  const points = values.flatMap((value, i) =>
    value === null ? [] : [`${(i * gap).toFixed(1)} ${y(value).toFixed(1)}`],
  );
  return points.length ? `M${points.join('L')}` : '';
}
