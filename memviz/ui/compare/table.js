// The same numbers without a picture: a table of one cell's steps, and all of them as CSV.

import { toCsv } from '../shared/csv.js';
import { button, copyText, h, isMissing } from '../shared/dom.js';
import { cellName } from './names.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 */

const COLUMNS = ['step', 't', 'magnitude', 'scale', 'similarity', 'nearest'];

/** @param {() => { view: View, selected: number, step: number }} current */
export function makeTable(current) {
  const head = h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col' }, name)));
  const body = h('tbody');
  const title = h('caption');
  const table = h('table', {}, title, h('thead', {}, head), body);
  const copy = button('Copy all as CSV');
  copy.addEventListener('click', () => copyText(toCsv(allRows(current().view)), copy));
  const looks = {
    class: 'mv-scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Numbers of each step',
  };
  const scroll = h('div', looks, table);
  const summary = h('summary', {}, 'The numbers');
  const node = h('details', { class: 'mv-details' }, summary, copy, scroll);

  const fill = () => {
    if (!node.open) return;
    const { view, selected, step } = current();
    const cell = view.cells[selected];
    title.textContent = `${cellName(view, cell)} (point at another picture to see its numbers)`;
    body.replaceChildren(...cellRows(view, cell).map((row) => rowNode(row, step)));
  };
  /** @param {number} step */
  const mark = (step) => {
    if (!node.open) return;
    for (const [i, row] of [...body.rows].entries()) row.classList.toggle('mv-on', i === step);
  };
  node.addEventListener('toggle', fill);
  return { node, fill, mark };
}

/**
 * @param {Curve} row
 * @param {number} step
 * @typedef {import('../views').Curve} Curve
 */
function rowNode(row, step) {
  const cells = row.map((value) => h('td', {}, shownNumber(value)));
  return h('tr', { class: row[0] === step ? 'mv-on' : null }, ...cells);
}

/** @param {number | null | undefined} value */
function shownNumber(value) {
  if (isMissing(value)) return '';
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

/**
 * A row a step, in the order of `COLUMNS`.
 * @param {View} view
 * @param {Cell} cell
 * @returns {Curve[]}
 */
function cellRows(view, { trace }) {
  return trace.magnitude.map((value, step) => [
    step,
    view.timesteps[step],
    value,
    trace.scale[step],
    trace.similarity[step],
    trace.nearest[step],
  ]);
}

/**
 * All cells, with the names of the columns above.
 * @param {View} view
 * @returns {unknown[][]}
 */
export function allRows(view) {
  const rows = view.cells.flatMap((cell) =>
    cellRows(view, cell).map((row) => [cell.cell, cell.prompt, cell.method, cell.seed, ...row]),
  );
  return [['cell', 'prompt', 'method', 'seed', ...COLUMNS], ...rows];
}
