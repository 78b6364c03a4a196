// The table of an evaluation: sorted by any column, the best of each marked, a row opens.

import { button, h, symbolIcon } from '../shared/dom.js';

/**
 * @typedef {import('../views').EvaluationView} View
 * @typedef {import('../views').EvaluationRow} Row
 * @typedef {import('../views').EvaluationColumn} Column
 * @typedef {import('../views').Interval} Interval
 * @typedef {{ name: string, down: boolean }} Order
 */

/** @param {(row: Row) => void} open what a pressed row does */
export function makeTable(open) {
  const table = h('table');
  const looks = { class: 'mv-scroll mv-evaltable', tabindex: 0, role: 'region' };
  const node = h('div', { ...looks, 'aria-label': 'Table of the evaluation' }, table);
  /** By which column, and which way; none keeps the order of the methods. @type {Order | null} */
  let order = null;
  /** @type {View | null} */
  let shown = null;

  /** @param {Column} column */
  const sortBy = ({ name, better }) => {
    const first = better === 'high';
    if (order?.name !== name) order = { name, down: first };
    else order = order.down === first ? { name, down: !first } : null;
    if (shown) draw(shown);
  };
  /** @param {View} view */
  const draw = (view) => {
    shown = view;
    const two = view.rows.some((row) => row.of);
    const best = Object.fromEntries(
      view.columns.map((column) => [column.name, bestMean(view.rows, column)]),
    );
    const names = ['method', ...(two ? ['of'] : []), ...view.columns.map(({ name }) => name)];
    const heads = names.map((name) => {
      const column = view.columns.find((one) => one.name === name);
      return column
        ? columnHead(column, order, () => sortBy(column))
        : h('th', { scope: 'col' }, name);
    });
    const rows = sortRows(view.rows, order).map((row) => rowNode(row, view, best, two, open));
    table.replaceChildren(
      h('caption', {}, view.caption),
      h('thead', {}, h('tr', {}, ...heads, h('th', { scope: 'col' }, 'departs'))),
      h('tbody', {}, ...rows),
    );
  };
  return { node, draw };
}

/**
 * @param {Column} column
 * @param {Order | null} order
 * @param {() => void} sort
 */
function columnHead({ name, about, better }, order, sort) {
  const way = order?.name === name ? (order.down ? 'descending' : 'ascending') : 'none';
  const arrow = { none: '', ascending: ' ↑', descending: ' ↓' }[way];
  const title = better ? `${about} (${better === 'low' ? 'lower' : 'higher'} is better)` : about;
  const press = button(`${name}${arrow}`, { class: 'mv-sort', onclick: sort, title });
  return h('th', { scope: 'col', 'aria-sort': way }, press);
}

/**
 * @param {Row} row
 * @param {View} view
 * @param {Record<string, number | null>} best
 * @param {boolean} two
 * @param {(row: Row) => void} open
 */
function rowNode(row, view, best, two, open) {
  const mark = view.methods[row.key];
  const icon = mark && !row.published ? symbolIcon(mark) : null;
  const label = row.opens
    ? button(row.label, { class: 'mv-open', onclick: () => open(row), title: 'Show its pictures' })
    : h('span', {}, row.label);
  const cells = view.columns.map(({ name }) => cellNode(row.values[name], best[name], row));
  const looks = { class: row.published ? 'mv-paper-row' : null };
  return h(
    'tr',
    looks,
    h('th', { scope: 'row' }, icon, label),
    two ? h('td', {}, row.of) : null,
    ...cells,
    h('td', { class: 'mv-departs' }, row.departs),
  );
}

/**
 * @param {Interval | null | undefined} value
 * @param {number | null} best
 * @param {Row} row
 */
function cellNode(value, best, row) {
  if (!value) return h('td', {}, '–');
  const digits = Math.abs(value.mean) >= 10 ? 1 : 3;
  const isBest = !row.published && value.mean === best;
  const text = value.mean.toFixed(digits);
  const mean = isBest ? h('b', { title: 'the best of this column' }, `${text} ★`) : text;
  const { low, high } = value;
  const ends =
    low == null || high == null ? '' : `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
  return h('td', {}, mean, ends ? h('small', {}, ends) : null);
}

/**
 * The best mean of a column among several rows; none where no end is better.
 * @param {readonly Row[]} rows
 * @param {Column} column
 */
export function bestMean(rows, { name, better }) {
  const means = rows.flatMap((row) => (row.published ? [] : (row.values[name]?.mean ?? [])));
  if (!better || new Set(means).size < 2) return null;
  return better === 'low' ? Math.min(...means) : Math.max(...means);
}

/**
 * Measured rows by a column, those without a value last; a paper's rows stay below their method.
 * @param {readonly Row[]} rows
 * @param {Order | null} order
 */
export function sortRows(rows, order) {
  if (!order) return [...rows];
  const { name, down } = order;
  /** @param {Row} row */
  const place = (row) => `${row.evaluation} ${row.row}`;
  /** @param {Row} row */
  const rank = (row) => {
    const mean = row.values[name]?.mean;
    if (mean == null) return Number.POSITIVE_INFINITY;
    return down ? -mean : mean;
  };
  const measured = rows.filter((row) => !row.published);
  const sorted = measured.sort((a, b) => compareRanks(rank(a), rank(b)));
  return sorted.flatMap((row) => [
    row,
    ...rows.filter((other) => other.published && place(other) === place(row)),
  ]);
}

/**
 * @param {number} a
 * @param {number} b
 */
function compareRanks(a, b) {
  return a === b ? 0 : a < b ? -1 : 1;
}
