// The sweep as a heat map: a value a column, a seed a row; a picture for the cell pointed at.

import { isMissing } from '../shared/dom.js';
import { makeChoice, makeFigure } from '../shared/figure.js';
import { baseLayout } from '../shared/plot.js';
import { heatScale } from './heat_scale.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').Sweep} Sweep
 * @typedef {import('../views').TransitionCell} Cell
 * @typedef {'similarity' | 'alignment' | 'magnitude' | 'evaluations'} Metric
 * @typedef {import('../shared/plot.js').Palette} Palette
 */

/** @type {[Metric, string][]} */
const METRICS = [
  ['similarity', 'Similarity'],
  ['alignment', 'Alignment'],
  ['magnitude', 'Magnitude'],
  ['evaluations', 'Evaluations'],
];
/** Columns and rows that an arrow key goes. @type {Record<string, [number, number] | undefined>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @param {AbortSignal} lifetime
 * @param {{ select: (cell: number) => void, peek: (cell: number | null) => void }} actions
 */
export function makeMap(lifetime, actions) {
  /** @type {View} */
  let view = {};
  /** @type {Metric} */
  let metric = 'similarity';
  let selected = 0;

  /**
   * @param {number} row
   * @param {number} column
   * @param {(cell: number) => void} act
   */
  const pick = (row, column, act) => {
    const cell = view.sweep?.cells[row]?.[column];
    if (!isMissing(cell)) act(cell);
  };
  const figure = makeFigure('sweep', 'Sweep', lifetime, {
    bind: (plot) => {
      plot.on('plotly_click', ({ points: [{ pointIndex }] }) =>
        pick(pointIndex[0], pointIndex[1], actions.select),
      );
      plot.on('plotly_hover', ({ points: [{ pointIndex }] }) =>
        pick(pointIndex[0], pointIndex[1], actions.peek),
      );
      plot.on('plotly_unhover', () => actions.peek(null));
    },
  });
  const redraw = () => {
    const { sweep, cells } = view;
    if (sweep && cells) {
      figure.draw((colors) => drawMap(sweep, cells, metric, selected, colors));
    }
  };
  const choose = makeChoice('Shown value', METRICS, metric, (key) => {
    metric = /** @type {Metric} */ (key);
    redraw();
  });
  figure.tools.append(choose);
  figure.plot.setAttribute('tabindex', '0');
  figure.plot.addEventListener('keydown', (event) => {
    const move = MOVES[event.key];
    if (!move || !view.sweep) return;
    event.preventDefault();
    const { row, column } = placeOf(view.sweep, selected) ?? { row: -1, column: 0 };
    pick(row + move[1], column + move[0], actions.select);
  });

  /**
   * @param {View} next
   * @param {number} number
   */
  const draw = (next, number) => {
    view = next;
    selected = number;
    const { sweep, cells } = view;
    figure.node.hidden = !sweep;
    if (!sweep || !cells) return;
    figure.head.textContent = `Sweep of the ${sweep.label}`;
    figure.source.command = view.command ?? '';
    figure.source.rows = () => mapRows(sweep, cells);
    figure.describe(mapWords(view, sweep, cells));
    figure.plot.style.height = `${Math.min(720, 120 + 44 * sweep.rows.length)}px`;
    redraw();
  };
  /** @param {number} number */
  const select = (number) => {
    selected = number;
    redraw();
  };
  return { node: figure.node, draw, select };
}

/**
 * Where a cell stands in the map.
 * @param {Sweep} sweep
 * @param {number} cell
 */
function placeOf({ cells }, cell) {
  const row = cells.findIndex((line) => line.includes(cell));
  return row < 0 ? null : { row, column: cells[row].indexOf(cell) };
}

/**
 * @param {Sweep} sweep
 * @param {Cell[]} cells
 * @param {Metric} metric
 * @param {number} selected
 * @param {Palette} colors
 */
function drawMap(sweep, cells, metric, selected, colors) {
  const z = sweep.cells.map((row) =>
    row.map((number) => (number === null ? null : cells[number][metric])),
  );
  const digits = metric === 'evaluations' ? 0 : 2;
  const map = {
    type: 'heatmap',
    x: sweep.values.map(String),
    y: sweep.rows.map((row) => row.name),
    z,
    text: z.map((row) => row.map((value) => (isMissing(value) ? '' : value.toFixed(digits)))),
    texttemplate: '%{text}',
    colorscale: heatScale(colors),
    xgap: 2,
    ygap: 2,
    showscale: false,
    hovertemplate: `${sweep.label} %{x}, %{y}<br>${metric} %{z:.3f}<extra></extra>`,
  };
  const layout = baseLayout(colors, {
    xaxis: { type: 'category', title: { text: sweep.label }, showgrid: false },
    yaxis: { showgrid: false },
    shapes: [
      ...estimateLines(sweep, colors),
      ...bestFrame(sweep, colors),
      ...selectedFrame(sweep, selected, colors),
    ],
  });
  return { data: [map], layout };
}

/**
 * Where the timestep t lies between the columns, which are numbered from 0.
 * @param {readonly number[]} values ascending
 * @param {number} t
 */
export function columnBetween(values, t) {
  const after = values.findIndex((value) => value >= t);
  if (after < 0) return values.length - 0.5;
  if (after === 0) return values[0] === t ? 0 : -0.5;
  return after - (values[after] - t) / (values[after] - values[after - 1]);
}

/**
 * @param {Sweep} sweep
 * @param {Palette} colors
 */
function estimateLines(sweep, colors) {
  if (!sweep.in_timesteps) return [];
  const line = { color: colors.text, width: 3, dash: 'dot' };
  return sweep.estimated.flatMap((t, row) => {
    if (isMissing(t)) return [];
    const x = columnBetween(sweep.values, t);
    return [{ type: 'line', x0: x, x1: x, y0: row - 0.48, y1: row + 0.48, line }];
  });
}

/**
 * @param {Sweep} sweep
 * @param {Palette} colors
 */
function bestFrame({ best, values, rows }, colors) {
  if (!best) return [];
  const column = values.indexOf(best.value);
  const inside = rows.flatMap((row, i) => (row.across === best.across ? [i] : []));
  const line = { color: colors.method({ color: 2 }), width: 3 };
  const [y0, y1] = [inside[0] - 0.5, inside[inside.length - 1] + 0.5];
  return [{ type: 'rect', x0: column - 0.5, x1: column + 0.5, y0, y1, line }];
}

/**
 * @param {Sweep} sweep
 * @param {number} selected
 * @param {Palette} colors
 */
function selectedFrame(sweep, selected, colors) {
  const place = placeOf(sweep, selected);
  if (!place) return [];
  const line = { color: colors.method({ color: 0 }), width: 2 };
  const [x, y] = [place.column, place.row];
  return [{ type: 'rect', x0: x - 0.42, x1: x + 0.42, y0: y - 0.42, y1: y + 0.42, line }];
}

/**
 * @param {View} view
 * @param {Sweep} sweep
 * @param {Cell[]} cells
 */
function mapWords({ evaluations }, sweep, cells) {
  const found = sweep.estimated.filter((t) => !isMissing(t));
  const words = [];
  if (evaluations) words.push(`${evaluations} network evaluations for ${cells.length} pictures.`);
  if (found.length && sweep.in_timesteps) {
    words.push(`Dotted: the estimated transition (t = ${found.join(', ')}).`);
  }
  if (sweep.best) {
    const name = bestName(sweep.label, sweep.best, sweep.across);
    words.push(`Framed in green: the best compromise, ${name}. ${sweep.best.reason}`);
  }
  return words.join(' ');
}

/**
 * @param {string} label
 * @param {NonNullable<Sweep['best']>} best
 * @param {string | null | undefined} across
 */
function bestName(label, best, across) {
  return `${label} ${best.value}${across ? ` with ${across} ${best.across}` : ''}`;
}

/**
 * @param {Sweep} sweep
 * @param {Cell[]} cells
 */
function mapRows(sweep, cells) {
  return sweep.cells.flatMap((row, i) =>
    row.flatMap((number, column) => {
      if (number === null) return [];
      const cell = cells[number];
      const { seed, across } = sweep.rows[i];
      const second = sweep.across ? { [sweep.across]: across } : {};
      const measured = Object.fromEntries(METRICS.map(([key]) => [key, cell[key]]));
      const value = { [sweep.axis]: sweep.values[column] };
      return [{ ...value, ...second, seed, ...measured, verdict: cell.verdict }];
    }),
  );
}
