// All pictures of a run that is no sweep: many seeds, or a prompt with and without a word.

import { button, fileAddress, formatNumber, h, verdictChip } from '../shared/dom.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').TransitionCell} Cell
 */

/** @param {{ select: (cell: number) => void }} actions */
export function makePictures(actions) {
  const grid = h('div', { class: 'mvt-pictures' });
  const looks = { class: 'mvt-figure', 'aria-label': 'Pictures' };
  const node = h('section', looks, h('h3', {}, 'Pictures'), grid);

  /** @param {number} number */
  const select = (number) => {
    for (const [i, one] of [...grid.children].entries()) {
      one.setAttribute('aria-pressed', String(i === number));
    }
  };
  /**
   * @param {View} view
   * @param {number} selected
   */
  const draw = (view, selected) => {
    const { cells = [] } = view;
    node.hidden = Boolean(view.sweep) || cells.length < 2;
    if (node.hidden) return;
    const buttons = cells.map((cell) => pictureButton(view, cells, cell));
    for (const [i, one] of buttons.entries()) {
      one.addEventListener('click', () => actions.select(cells[i].cell));
    }
    grid.replaceChildren(...buttons);
    select(selected);
  };
  return { node, draw, select };
}

/**
 * @param {View} view
 * @param {Cell[]} cells
 * @param {Cell} cell
 */
function pictureButton(view, cells, cell) {
  const src = cell.image ? fileAddress(view.base + cell.image) : cell.preview;
  const several = cells.some((other) => other.name !== cell.name);
  const name = `${several ? `${cell.name}, ` : ''}seed ${cell.seed}`;
  const node = button('', { class: 'mvt-one' });
  if (src) node.append(h('img', { src, alt: '' }));
  node.append(h('span', {}, `${name}: ${formatNumber(cell.similarity)}`));
  if (cell.prompt !== view.prompt) node.append(h('q', {}, cell.prompt));
  if (cell.verdict) node.append(verdictChip(cell.verdict));
  return node;
}
