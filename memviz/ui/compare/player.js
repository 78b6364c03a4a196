// The player: one step for every picture and every curve.

import {
  button,
  copyText,
  factList,
  formatNumber,
  h,
  isMissing,
  symbolIcon,
} from '../shared/dom.js';
import { lifetimeOf } from '../shared/lifetime.js';
import { makeRemember } from '../shared/remember.js';
import { makeCell } from './cells.js';
import { makeCurves, PANELS } from './curves.js';
import { makeLine } from './line.js';
import { cellName, methodOf } from './names.js';
import { makePair } from './pair.js';
import { addSteps } from './patch.js';
import { makeStory } from './story.js';
import { makeTable } from './table.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 */

const KEYS = [
  ['Left, Right', 'one step back, one step on (with the slider in focus)'],
  ['Home, End', 'first and last step'],
  ['Space', 'play and pause'],
  ['T', 'go to the step where guidance comes on in the chosen picture'],
  ['Enter', 'open the chosen picture beside its training image'],
  ['Ctrl and Enter', 'compare (in the prompt)'],
  ['?', 'show this list'],
];

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch, trigger }) {
  const lifetime = lifetimeOf(element);
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  /** @type {View | null} */
  let shown = null;
  /** @type {ReturnType<typeof makeCell>[]} */
  let cells = [];
  let step = 0;
  let selected = 0;
  let following = false; // the newest step of a run under way
  let wasLive = false;
  /** @type {number | null} */
  let openCell = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let playing;

  const remember = makeRemember(() => permalink());
  const actions = {
    go: userStep,
    jump,
    /** @param {number} number */
    select: (number) => {
      ui.app.classList.add('mv-picking'); // from now on show which one is chosen
      choose(number);
    },
    /** @param {number} number */
    open: (number) => shown && pair.open(shown, number),
  };
  /** @param {number | null} number */
  const rememberPair = (number) => {
    openCell = number;
    remember();
  };
  const pair = makePair({ opened: rememberPair, closed: () => rememberPair(null) }, lifetime);
  const story = makeStory(actions);
  const curves = makeCurves(lifetime, actions);
  const table = makeTable(() => ({ view: view(), selected, step }));
  const keys = keysDialog();
  const line = makeLine(lifetime, trigger);
  const ui = build();

  /** What is shown; nothing that a person can press is there before. */
  function view() {
    if (!shown) throw new Error('no run is shown');
    return shown;
  }

  function build() {
    const result = h('h2', { class: 'mv-result', 'aria-live': 'polite' });
    const prompt = h('p', { class: 'mv-prompt' });
    const facts = h('div');
    const link = button('Copy link');
    link.addEventListener('click', () => copyText(permalink(), link));
    const about = h('details', { class: 'mv-details' }, h('summary', {}, 'About this run'), facts);
    const grid = h('div', { class: 'mv-grid' });
    const words = h('div', { class: 'mv-words' });
    const side = h('div', { class: 'mv-side' }, curves.node, words, table.node, about);
    const bar = scrubBar();
    const head = h('header', { class: 'mv-head' }, h('div', {}, result, prompt), link);
    const main = h('div', { class: 'mv-main' }, grid, side);
    const note = h('p', { class: 'mv-opening', role: 'status' }, 'Opening …');
    const looks = { class: 'mv-app', 'aria-label': 'Run', hidden: true };
    const stale = h('p', { class: 'mv-message mv-stale', role: 'status', hidden: true });
    const app = h('section', looks, stale, story.node, head, main, bar.node);
    element.querySelector('.mv-root')?.replaceChildren(line.node, note, app, pair.node, keys);
    return { app, note, stale, result, prompt, facts, grid, words, ...bar };
  }

  function scrubBar() {
    const play = button('Play', { class: 'mv-button mv-play', onclick: togglePlay });
    const range = h('input', {
      type: 'range',
      min: 0,
      step: 1,
      class: 'mv-range',
      'aria-label': 'Step',
      oninput: () => userStep(Number(range.value)),
    });
    const ticks = h('div', { class: 'mv-ticks', 'aria-hidden': 'true' });
    const readout = h('output', { class: 'mv-readout' });
    const toSwitch = button('Go to switch', { title: 'Key T', onclick: () => jump(selected) });
    const help = button('?', { 'aria-label': 'Keys', onclick: () => keys.showModal() });
    const track = h('div', { class: 'mv-track' }, ticks, range);
    const node = h('div', { class: 'mv-bar' }, play, track, readout, toSwitch, help);
    return { node, play, range, ticks, readout };
  }

  // ---- drawing -----------------------------------------------------------------------------

  /** @param {View | import('../views').ComparePatch | null | undefined} told */
  function take(told) {
    if (!told) return;
    line.hear(told);
    if (!('added' in told)) draw(told);
    else if (shown?.id !== told.id || !addSteps(shown, told)) line.ask();
    else draw(shown);
  }

  /** @param {View} next */
  function draw(next) {
    if (next.note) ui.note.textContent = next.note;
    if (!next.cells && (next.note || 'waiting' in next)) waitFor(next);
    if (!next.cells) return;
    const fresh = shown?.id !== next.id || cells.length !== next.cells.length;
    const finished = wasLive && !next.live;
    wasLive = next.live;
    ui.note.hidden = true;
    ui.app.hidden = false;
    shown = next;
    if (fresh) start(next);
    else for (const [i, cell] of next.cells.entries()) cells[i].update(next, cell);
    drawWords(next);
    markStale();
    ui.range.max = String(Math.max(1, (next.live ? next.steps : next.step) - 1));
    drawTicks(next);
    if (finished) following = false;
    else if (following) step = Math.max(0, next.step - 1);
    curves.draw(next);
    showStep(step);
    table.fill();
    if (finished || (fresh && next.live)) remember();
    if (fresh && next.live) reveal();
  }

  /**
   * What is asked for has no pictures yet, and those of before are not its own; or it never began.
   * @param {Partial<View>} next
   */
  function waitFor({ waiting }) {
    stopPlay();
    ui.app.hidden = Boolean(waiting) || !shown;
    ui.note.hidden = !waiting && Boolean(shown);
    if (waiting) ui.note.textContent = waiting;
  }

  /** Whether the prompt in the box is another than that of the pictures. */
  function markStale() {
    const box = promptBox();
    const prompts = shown?.prompts ?? [];
    const same =
      promptLines(box?.value ?? '').join('\n') === promptLines(prompts.join('\n')).join('\n');
    ui.stale.hidden = !box || !shown || same;
    const words = `“${prompts[0]}”${othersWords(prompts)}`;
    ui.stale.textContent = `These are pictures of ${words}. Press Compare to make yours.`;
  }

  /** @param {View} next */
  function start(next) {
    stopPlay();
    story.draw(next);
    const query = new URLSearchParams(location.search);
    const ours = query.get('run') === next.id;
    following = next.live;
    selected = 0;
    step = ours ? addressStep(query, next.step) : next.step - 1;
    cells = next.cells.map((cell) => makeCell(next, cell, actions));
    ui.grid.replaceChildren(...gridRows(next));
    choose(next.cells.find(switches)?.cell ?? 0);
    if (ours && query.has('cell')) pair.open(next, Number(query.get('cell')));
  }

  // On a small screen the pictures of a new run would appear out of sight.
  function reveal() {
    if (ui.app.getBoundingClientRect().top < innerHeight * 0.7) return;
    ui.app.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' });
  }

  /**
   * The prompts one after the other, each under its own title where there are several.
   * @param {View} next
   */
  function gridRows(next) {
    if (next.prompts.length < 2) return seedRows(next, next.cells, 'h3');
    const groups = Map.groupBy(next.cells, (cell) => cell.prompt);
    return [...groups].map(([prompt, group]) =>
      h(
        'section',
        { class: 'mv-promptgroup' },
        h('h3', {}, h('q', {}, prompt)),
        ...seedRows(next, group, 'h4'),
      ),
    );
  }

  /**
   * One row per seed, one column per method.
   * @param {View} next
   * @param {readonly Cell[]} group
   * @param {'h3' | 'h4'} level
   */
  function seedRows(next, group, level) {
    const rows = Map.groupBy(group, (cell) => cell.seed);
    return [...rows].map(([seed, row]) => {
      const hash = next.noise[seed];
      const noise = hash ? ` Same starting noise for all (${hash.slice(0, 8)}).` : '';
      const title = h(level, {}, `Seed ${seed}`, h('span', { class: 'mv-soft' }, noise));
      const line = h('div', { class: 'mv-row' }, ...row.map((c) => cells[c.cell].node));
      line.style.setProperty('--mv-columns', String(Math.min(4, row.length)));
      return h('section', { class: 'mv-group' }, title, line);
    });
  }

  /** @param {View} next */
  function drawWords(next) {
    if (ui.result.textContent !== next.result) ui.result.textContent = next.result;
    ui.app.classList.toggle('mv-live', next.live);
    ui.prompt.replaceChildren('Prompt: ', h('q', {}, next.prompts[0]), othersWords(next.prompts));
    ui.facts.replaceChildren(factList(next.facts));
    const words = PANELS.map((panel) => next.summaries[panel.name]).filter(Boolean);
    const items = words.map((text) => h('li', {}, text));
    const list = h('ul', { 'aria-label': 'The curves in words' }, ...items);
    ui.words.replaceChildren(items.length ? list : '');
  }

  /** @param {View} next */
  function drawTicks(next) {
    const nodes = next.cells.filter(switches).map((cell) => {
      const tick = h('span', {}, symbolIcon(methodOf(next, cell) ?? { color: 0 }));
      tick.style.left = `${(Number(cell.transition_step) / Number(ui.range.max)) * 100}%`;
      return tick;
    });
    ui.ticks.replaceChildren(...nodes);
  }

  /** @param {number} next */
  function showStep(next) {
    step = Math.max(0, Math.min(next, view().step - 1));
    for (const cell of cells) cell.show(step);
    curves.moveCursor(step);
    table.mark(step);
    ui.range.value = String(step);
    const t = view().timesteps[step];
    const place = `step ${step} of ${ui.range.max}`;
    ui.readout.replaceChildren(place, h('span', {}, t === undefined ? '' : `, t=${t}`));
    ui.range.setAttribute('aria-valuetext', `${ui.readout.textContent}${selectedWords()}`);
  }

  function selectedWords() {
    const cell = view().cells[selected];
    const near = cell?.trace.similarity[step];
    if (isMissing(near)) return '';
    return `, ${cellName(view(), cell)}, similarity ${formatNumber(near)}`;
  }

  // ---- moving ------------------------------------------------------------------------------

  /** @param {number} next */
  function userStep(next) {
    following = view().live && next >= view().step - 1;
    showStep(next);
    remember();
  }

  /** @param {number} number */
  function choose(number) {
    selected = number;
    for (const [i, cell] of cells.entries()) cell.node.classList.toggle('mv-on', i === number);
    curves.select(number);
    table.fill();
  }

  /** @param {number} number */
  function jump(number) {
    const cell = view().cells[number];
    if (cell && switches(cell)) {
      choose(number);
      userStep(Number(cell.transition_step));
    } else if (cell) {
      ui.readout.textContent = `${cellName(view(), cell)} never switches`;
    }
  }

  function togglePlay() {
    if (playing !== undefined) {
      stopPlay();
      return;
    }
    if (step >= view().step - 1) showStep(0);
    playing = setInterval(playOn, 1000 / (calm ? 1 : 8));
    ui.play.textContent = 'Pause';
  }

  function playOn() {
    if (step >= view().step - 1) stopPlay();
    else userStep(step + 1);
  }

  function stopPlay() {
    clearInterval(playing);
    playing = undefined;
    ui.play.textContent = 'Play';
  }

  // ---- address and keys --------------------------------------------------------------------

  function permalink() {
    const url = new URL(location.href);
    const { id, with: other } = view();
    const parts = { run: id, with: other ?? null, t: step, cell: openCell };
    for (const [name, value] of Object.entries(parts)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {Element} */ (event.target);
    const typing = target.closest('input:not([type=range]), textarea, select, dialog');
    if (typing || !shown || event.ctrlKey || event.metaKey || event.altKey) return;
    const ours = element.contains(target) || target === document.body;
    if (!element.offsetParent || !ours) return;
    const pressed = target.closest('button, summary, a');
    if (event.key === 't' || event.key === 'T') jump(selected);
    else if (event.key === '?') keys.showModal();
    else if (event.key === ' ' && !pressed) togglePlay();
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  function onCompare(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (event.target !== promptBox()) return;
    event.preventDefault();
    document.getElementById('go')?.click();
  }

  document.addEventListener('mv-prompt', markStale, { signal: lifetime });
  document.addEventListener('keydown', onCompare, { signal: lifetime });
  document.addEventListener('keydown', onKey, { signal: lifetime });
  lifetime.addEventListener('abort', stopPlay);
  watch('value', () => take(props.value));
  // The page comes with an example; what its address asks for follows.
  const asked = new URLSearchParams(location.search).get('run');
  if (!asked || asked === props.value?.id) take(props.value);
}

/**
 * The prompts in a box, one a line.
 * @param {string} text
 */
export function promptLines(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return [...new Set(lines.filter(Boolean))];
}

/** @param {readonly string[]} prompts */
function othersWords(prompts) {
  return prompts.length > 1 ? ` and ${prompts.length - 1} more` : '';
}

/** The box that a prompt is typed in. */
function promptBox() {
  return /** @type {HTMLTextAreaElement | null} */ (document.querySelector('#prompt textarea'));
}

/** Gradio fills the box without an event of the browser's: whoever looks at it is told. */
export function tellPrompt() {
  requestAnimationFrame(() => document.dispatchEvent(new Event('mv-prompt')));
  return [];
}

function keysDialog() {
  const list = h('dl', { class: 'mv-facts' });
  for (const [key, text] of KEYS) list.append(h('dt', {}, h('kbd', {}, key)), h('dd', {}, text));
  const close = button('Close', { onclick: () => node.close() });
  const title = h('h2', { id: 'mv-keystitle', tabindex: -1, autofocus: true }, 'Keys');
  const bar = h('div', { class: 'mv-pairbar' }, title, close);
  const looks = { class: 'mv-dialog mv-small', 'aria-labelledby': 'mv-keystitle' };
  const node = h('dialog', looks, bar, list);
  return node;
}

/**
 * The step that the address asks for, or the newest one.
 * @param {URLSearchParams} query
 * @param {number} steps that are made
 */
export function addressStep(query, steps) {
  const step = query.has('t') ? Number(query.get('t')) : Number.NaN;
  return Number.isInteger(step) && step >= 0 ? Math.min(step, steps - 1) : steps - 1;
}

/** @param {Cell} cell */
function switches(cell) {
  return Number.isInteger(cell.transition_step);
}
