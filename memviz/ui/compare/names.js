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
 * @param {Pick<Cell, 'method' | 'seed' | 'prompt'>} cell
 */
export function cellName(view, cell) {
  const name = `${methodOf(view, cell)?.short ?? cell.method}, seed ${cell.seed}`;
  if (view.prompts.length < 2) return name;
  return `${name}, prompt ${view.prompts.indexOf(cell.prompt) + 1}`;
}

/**
 * Small pictures are enlarged with hard pixels, as they are.
 * @param {Pick<View, 'tile'>} view
 */
export function isTiny(view) {
  return view.tile <= 96;
}
