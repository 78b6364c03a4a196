// One cell of the grid: the picture at the current step, the verdict, the nearest training image.

import {
  fileAddress,
  formatNumber,
  h,
  isMissing,
  readPromptNode,
  symbolIcon,
  verdictChip,
} from '../shared/dom.js';
import { cellName, isTiny, methodOf } from './names.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 * @typedef {{
 *   open: (cell: number) => void,
 *   select: (cell: number) => void,
 *   jump: (cell: number) => void,
 * }} Actions
 * @typedef {{ frames: string[], rows: number, sheet: string | null, final: string | null }} Files
 *   the pictures at hand: those seen live, rows of the loaded sheet, addresses of what is loaded
 */

/**
 * @param {View} view
 * @param {Cell} cell
 * @param {Actions} actions
 */
export function makeCell(view, cell, actions) {
  const live = h('img', { class: 'mv-layer', alt: '', hidden: true });
  const final = h('img', { class: 'mv-layer', alt: '', hidden: true });
  const sheet = h('span', { class: 'mv-layer', hidden: true });
  const state = h('span', { class: 'mv-state' });
  const looks = { type: 'button', class: 'mv-pic' };
  const picture = h('button', looks, sheet, live, final, state);
  const caption = h('div', { class: 'mv-now' });
  const facts = h('div', { class: 'mv-cellfacts' });
  const name = h('div', { class: 'mv-name' });
  const node = h('article', { class: 'mv-cell' }, name, picture, caption, facts);
  node.classList.toggle('mv-tiny', isTiny(view));
  picture.addEventListener('click', () => actions.open(cell.cell));
  picture.addEventListener('focus', () => actions.select(cell.cell));
  node.addEventListener('pointerenter', () => actions.select(cell.cell));
  /** @type {Files} */
  const files = { frames: [], rows: 0, sheet: null, final: null };
  let shown = 0; // step

  /** @param {number} step */
  const show = (step) => {
    shown = step;
    const newest = cell.trace.magnitude.length - 1;
    const last = cell.state === 'done' && files.final !== null && step >= newest;
    const tiled = !last && files.rows > 0;
    final.hidden = !last;
    sheet.hidden = !tiled;
    if (tiled) placeTile(sheet, view.columns, files.rows, Math.min(step, newest));
    const frame = last || tiled ? null : nearestFrame(files.frames, step);
    live.hidden = !frame;
    if (frame && live.src !== frame) live.src = frame;
    caption.textContent = nowWords(cell, Math.min(step, newest), last);
  };

  /**
   * @param {View} nextView
   * @param {Cell} nextCell
   */
  const update = (nextView, nextCell) => {
    view = nextView;
    cell = nextCell;
    const method = methodOf(view, cell);
    const title = h('strong', { title: method?.label }, method?.short ?? cell.method);
    name.replaceChildren(method ? symbolIcon(method) : '', title, ` seed ${cell.seed}`);
    if (cell.preview) files.frames[cell.trace.magnitude.length - 1] = cell.preview;
    if (!view.live) loadFiles(files, view, cell, { sheet, final }, () => show(shown));
    facts.replaceChildren(...cellFacts(view, cell, actions));
    state.textContent = stateWords(cell);
    picture.setAttribute('aria-label', pictureLabel(view, cell));
    picture.disabled = view.live || cell.state !== 'done' || !cell.image;
  };

  update(view, cell);
  return { node, update, show };
}

/**
 * Two files per cell, fetched once: the sheet of all x0 estimates and the final picture.
 * @param {Files} files
 * @param {View} view
 * @param {Cell} cell
 * @param {{ sheet: HTMLElement, final: HTMLImageElement }} layers
 * @param {() => void} done
 */
function loadFiles(files, view, cell, { sheet, final }, done) {
  const sheetUrl = cell.sheet && fileAddress(view.base + cell.sheet);
  if (sheetUrl && files.sheet !== sheetUrl) {
    files.sheet = sheetUrl;
    keepHere(sheetUrl).then((kept) => {
      const probe = new Image();
      probe.onload = () => {
        files.rows = Math.max(1, Math.round(probe.naturalHeight / view.tile));
        sheet.style.backgroundImage = `url("${kept}")`;
        sheet.style.backgroundSize = `${view.columns * 100}% ${files.rows * 100}%`;
        done();
      };
      probe.src = kept;
    });
  }
  const finalUrl = cell.image && fileAddress(view.base + cell.image);
  if (finalUrl && files.final !== finalUrl) {
    final.onload = () => {
      files.final = finalUrl;
      done();
    };
    final.src = finalUrl;
  }
}

/**
 * A file held in the page: shown as often as one likes, it is never asked for again.
 * @param {string} url
 */
async function keepHere(url) {
  const answer = await fetch(url);
  return URL.createObjectURL(await answer.blob());
}

/**
 * @param {HTMLElement} node
 * @param {number} columns
 * @param {number} rows
 * @param {number} step
 */
function placeTile(node, columns, rows, step) {
  const x = ((step % columns) / Math.max(1, columns - 1)) * 100;
  const y = (Math.floor(step / columns) / Math.max(1, rows - 1)) * 100;
  node.style.backgroundPosition = `${x}% ${y}%`;
}

/**
 * The newest frame that is no later than a step, or else the first there is.
 * @param {readonly (string | undefined)[]} frames by step, with gaps
 * @param {number} step
 */
export function nearestFrame(frames, step) {
  for (let i = Math.min(step, frames.length - 1); i >= 0; i -= 1) {
    const frame = frames[i];
    if (frame) return frame;
  }
  return frames.find(Boolean) ?? null;
}

/**
 * @param {Cell} cell
 * @param {number} step
 * @param {boolean} last
 */
function nowWords({ trace }, step, last) {
  if (step < 0) return ' ';
  if (last) return 'final picture';
  const near = trace.similarity[step];
  const match = isMissing(near) ? '' : `, ${formatNumber(near)} to #${trace.nearest[step]}`;
  return `step ${step}${match}`;
}

/** @param {Cell} cell */
function stateWords(cell) {
  if (cell.state === 'failed') return cell.error || 'This cell failed.';
  if (cell.state === 'waiting' && !cell.preview) return 'waiting';
  return '';
}

/**
 * @param {View} view
 * @param {Cell} cell
 */
function pictureLabel(view, cell) {
  const name = `${cellName(view, cell)}.`;
  if (!cell.match) return `${name} ${cell.state === 'done' ? 'No match known.' : 'Not finished.'}`;
  const found = `${cell.verdict}, similarity ${formatNumber(cell.similarity)}.`;
  return `${name} ${found} Open beside training image ${cell.match.id}.`;
}

/**
 * @param {View} view
 * @param {Cell} cell
 * @param {Actions} actions
 * @returns {Node[]}
 */
function cellFacts(view, cell, actions) {
  const chip = cell.verdict ? h('div', {}, verdictChip(cell.verdict)) : null;
  const nearest = cell.verdict ? nearestNode(view, cell) : null;
  const parts = [chip, nearest, switchNode(cell, actions), readPromptNode(cell)];
  return parts.filter((part) => part !== null);
}

/**
 * @param {View} view
 * @param {Cell} cell
 */
function nearestNode(view, cell) {
  if (!cell.match) return null;
  const src = fileAddress(view.base + cell.match.image);
  const image = h('img', { src, alt: '', class: 'mv-thumb', loading: 'lazy' });
  const looks = { class: 'mv-score', title: '1 = the same picture' };
  const score = h('b', looks, formatNumber(cell.similarity));
  const { copied } = view.thresholds;
  const under = copied && Number(cell.similarity) < copied;
  const mark = under ? `; a copy begins at ${formatNumber(copied)}` : '';
  const text = h('span', {}, score, ` similar to training image #${cell.match.id}${mark}`);
  return h('div', { class: 'mv-nearest', title: cell.match.caption }, image, text);
}

/**
 * @param {Cell} cell
 * @param {Actions} actions
 */
function switchNode(cell, actions) {
  if (isMissing(cell.transition_step)) return h('div', { class: 'mv-where' }, cell.where);
  const onclick = () => actions.jump(cell.cell);
  const looks = { type: 'button', class: 'mv-where mv-link', title: 'Go to this step', onclick };
  return h('button', looks, cell.where);
}
