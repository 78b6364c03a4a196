// What steps added to a run under way, put into the view that is shown.

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').ComparePatch} Patch
 */

/**
 * Adds the steps; those that are known already are passed over. Whether it could: a gap needs the
 * whole view.
 * @param {View} view
 * @param {Patch} patch
 */
export function addSteps(view, patch) {
  const known = view.step - patch.from;
  if (known < 0) return false;
  if (patch.step < view.step) return true;
  for (const { cell, ...changes } of patch.changed) Object.assign(view.cells[cell], changes);
  for (const [number, cell] of view.cells.entries()) {
    for (const name of /** @type {const} */ (['magnitude', 'scale', 'similarity', 'nearest'])) {
      cell.trace[name].push(...patch.added[name][number].slice(known));
    }
    cell.preview = patch.pictures[patch.shown[number]];
  }
  view.step = patch.step;
  view.result = patch.result;
  return true;
}
