// How a cell is named, and how it is drawn.

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 */

/**
 * @param {View} view
 * @param {Pick<Cell, 'method'>} cell
 */
export function methodOf(view, cell) {
  return view.methods[cell.method];
}

/**
 * @param {View} view
 * @param {Pick<Cell, 'method' | 'seed'>} cell
 */
export function cellName(view, cell) {
  return `${methodOf(view, cell)?.short ?? cell.method}, seed ${cell.seed}`;
}

/**
 * Small pictures are enlarged with hard pixels, as they are.
 * @param {Pick<View, 'tile'>} view
 */
export function isTiny(view) {
  return view.tile <= 96;
}
