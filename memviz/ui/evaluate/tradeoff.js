// One figure of a table against another: the settings of a method joined, the front marked.

import { h } from '../shared/dom.js';
import { makeFigure } from '../shared/figure.js';
import { baseLayout } from '../shared/plot.js';

/**
 * @typedef {import('../views').EvaluationView} View
 * @typedef {import('../views').EvaluationRow} Row
 * @typedef {import('../views').EvaluationColumn} Column
 * @typedef {import('../shared/plot.js').Palette} Palette
 */

const USUAL = { x: ['copied', 'sim_mean', 'own_mean'], y: ['clipscore', 'diversity', 'cost'] };

/** @param {AbortSignal} lifetime */
export function makeTradeoff(lifetime) {
  const figure = makeFigure('evaluation', 'One column against another', lifetime);
  /** @type {View | null} */
  let view = null;
  const redraw = () => view && draw(view);
  const axes = { x: axisMenu('Across', redraw), y: axisMenu('Up', redraw) };
  figure.tools.append(axes.x.node, axes.y.node);

  /** @param {View} next */
  function draw(next) {
    view = next;
    const able = next.columns.filter(({ better }) => better);
    axes.x.fill(able, USUAL.x);
    axes.y.fill(able, USUAL.y);
    const x = able.find(({ name }) => name === axes.x.chosen());
    const y = able.find(({ name }) => name === axes.y.chosen());
    const points = x && y ? next.rows.filter((row) => hasBoth(row, x.name, y.name)) : [];
    figure.node.hidden = points.length < 2;
    if (!x || !y || points.length < 2) return;
    const front = paretoRows(points, x, y);
    const names = front.map((row) => [row.of, row.label].filter(Boolean).join(': ')).join(', ');
    figure.describe(`No other row is better in both ${x.name} and ${y.name}: ${names}.`);
    figure.source.command = next.command;
    figure.source.rows = () => points.map((row) => flatRow(row, x.name, y.name));
    figure.draw((colors) => drawPlot(points, front, x, y, next, colors));
  }
  return { node: figure.node, draw };
}

/**
 * A menu of columns that keeps its choice as long as it is offered.
 * @param {string} label
 * @param {() => void} change
 */
function axisMenu(label, change) {
  const menu = h('select', { class: 'mv-select', onchange: change });
  const node = h('label', { class: 'mv-axis' }, `${label} `, menu);
  /**
   * @param {readonly Column[]} columns
   * @param {readonly string[]} usual the first of these that is there is chosen at first
   */
  const fill = (columns, usual) => {
    const names = columns.map(({ name }) => name);
    if (names.join() === [...menu.options].map(({ value }) => value).join()) return;
    const before = menu.value;
    menu.replaceChildren(...names.map((value) => h('option', { value }, value)));
    const wanted = [before, ...usual].find((name) => names.includes(name));
    if (wanted) menu.value = wanted;
  };
  return { node, fill, chosen: () => menu.value };
}

/**
 * @param {Row} row
 * @param {string} x
 * @param {string} y
 */
function hasBoth(row, x, y) {
  return !row.published && row.values[x]?.mean != null && row.values[y]?.mean != null;
}

/**
 * @param {Row} row
 * @param {string} name
 */
function meanOf(row, name) {
  return row.values[name]?.mean ?? Number.NaN;
}

/**
 * Rows that no other equals or beats in both columns, along the first.
 * @param {readonly Row[]} rows
 * @param {Column} x
 * @param {Column} y
 */
export function paretoRows(rows, x, y) {
  /** @type {(row: Row, column: Column) => number} the higher the better */
  const worth = (row, { name, better }) => meanOf(row, name) * (better === 'high' ? 1 : -1);
  /** @type {(a: Row, b: Row) => boolean} */
  const asGood = (a, b) => worth(a, x) >= worth(b, x) && worth(a, y) >= worth(b, y);
  return rows
    .filter((a) => !rows.some((b) => b !== a && asGood(b, a) && !asGood(a, b)))
    .sort((a, b) => meanOf(a, x.name) - meanOf(b, x.name));
}

/**
 * @param {Row} row
 * @param {string} x
 * @param {string} y
 */
function flatRow(row, x, y) {
  const columns = [x, y].flatMap((name) => [
    [name, row.values[name]?.mean],
    [`${name}_low`, row.values[name]?.low],
    [`${name}_high`, row.values[name]?.high],
  ]);
  return { of: row.of, method: row.method, ...Object.fromEntries(columns) };
}

/**
 * @param {readonly Row[]} points
 * @param {readonly Row[]} front
 * @param {Column} x
 * @param {Column} y
 * @param {View} view
 * @param {Palette} colors
 */
function drawPlot(points, front, x, y, view, colors) {
  const groups = Map.groupBy(points, ({ of, key }) => JSON.stringify([of, key]));
  const first = points[0].of;
  const lines = [...groups.values()].map((rows) => {
    const mark = view.methods[rows[0].key] ?? { symbol: 'circle', color: 0, label: rows[0].label };
    const color = colors.method(mark);
    const sorted = [...rows].sort((a, b) => meanOf(a, x.name) - meanOf(b, x.name));
    const open = rows[0].of !== first; // the second of two evaluations
    const name = [mark.label, rows[0].of].filter(Boolean).join(', ');
    return {
      type: 'scatter',
      mode: sorted.length > 1 ? 'lines+markers' : 'markers',
      name,
      x: sorted.map((row) => meanOf(row, x.name)),
      y: sorted.map((row) => meanOf(row, y.name)),
      error_x: barsOf(sorted, x.name, color),
      error_y: barsOf(sorted, y.name, color),
      line: { color, width: 1.2 },
      marker: { symbol: `${mark.symbol}${open ? '-open' : ''}`, color, size: 10 },
      text: sorted.map((row) => row.label),
      hovertemplate: `<b>%{text}</b><br>${x.name} %{x:.3f}<br>${y.name} %{y:.3f}<extra></extra>`,
    };
  });
  const best = {
    type: 'scatter',
    mode: 'lines',
    name: 'not beaten in both',
    x: front.map((row) => meanOf(row, x.name)),
    y: front.map((row) => meanOf(row, y.name)),
    line: { color: colors.soft, width: 1.5, dash: 'dot' },
    hoverinfo: 'skip',
  };
  const layout = baseLayout(colors, {
    xaxis: { title: { text: axisTitle(x) } },
    yaxis: { title: { text: axisTitle(y) } },
    showlegend: true,
    legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0, font: { color: colors.text } },
  });
  return { data: [best, ...lines], layout };
}

/** @param {Column} column */
function axisTitle({ name, better }) {
  return `${name} (${better === 'low' ? 'lower' : 'higher'} is better)`;
}

/**
 * @param {readonly Row[]} rows
 * @param {string} name
 * @param {string} color
 */
function barsOf(rows, name, color) {
  const far = rows.map((row) => {
    const mean = meanOf(row, name);
    return [(row.values[name]?.high ?? mean) - mean, mean - (row.values[name]?.low ?? mean)];
  });
  const lengths = { array: far.map(([up]) => up), arrayminus: far.map(([, down]) => down) };
  return { type: 'data', symmetric: false, ...lengths, color, thickness: 0.7, width: 2 };
}
