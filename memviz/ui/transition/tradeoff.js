// What a method costs: similarity against alignment or evaluations; the best few joined.

import { makeChoice, makeFigure } from '../shared/figure.js';
import { baseLayout } from '../shared/plot.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').TradeoffPoint} Point
 * @typedef {import('../views').Methods} Methods
 * @typedef {'alignment' | 'evaluations'} Cost
 * @typedef {'similarity' | Cost} Measure
 * @typedef {import('../shared/plot.js').Palette} Palette
 * @typedef {[number, number]} Pair
 */

/** @type {[Cost, string][]} */
const COSTS = [
  ['alignment', 'Alignment'],
  ['evaluations', 'Evaluations'],
];
/** @type {Measure[]} */
const MEASURES = ['similarity', 'alignment', 'evaluations'];
const AGAIN = 'python -m memviz remedies --save'; // what measured the demo's own points

/** @param {AbortSignal} lifetime */
export function makeTradeoff(lifetime) {
  const figure = makeFigure('tradeoff', 'Copies against what they cost', lifetime);
  /** @type {Cost} */
  let cost = 'alignment';
  /** @type {View} */
  let view = {};

  const redraw = () => {
    const { tradeoff = [], methods = {}, id } = view;
    figure.node.hidden = tradeoff.length < 2;
    if (figure.node.hidden) return;
    const points = tradeoff.filter((point) => point[cost]);
    figure.describe(tradeoffWords(points, cost, id ? 'this run' : 'the demo’s duplicated prompts'));
    figure.draw((colors) => {
      const { clientWidth, clientHeight } = figure.plot;
      const size = { width: clientWidth - 60, height: clientHeight - 52 }; // less the axes
      return drawTradeoff(points, cost, methods, size, colors);
    });
  };
  const choose = makeChoice('Against', COSTS, cost, (key) => {
    cost = /** @type {Cost} */ (key);
    redraw();
  });
  figure.tools.append(choose);
  /** @param {View} next */
  const draw = (next) => {
    view = next;
    figure.source.command = view.command ?? AGAIN;
    figure.source.rows = () => (view.tradeoff ?? []).map(flatPoint);
    redraw();
  };
  return { node: figure.node, draw };
}

/** @param {Point} point */
function flatPoint(point) {
  const columns = MEASURES.flatMap((name) => [
    [name, point[name]?.mean],
    [`${name}_low`, point[name]?.low],
    [`${name}_high`, point[name]?.high],
  ]);
  return { method: point.name, ...Object.fromEntries(columns) };
}

/**
 * @param {Point} point
 * @param {Measure} name
 */
function meanOf(point, name) {
  return point[name]?.mean ?? Number.NaN;
}

/**
 * The ends of a mean's interval; the mean itself where there is none.
 * @param {Point} point
 * @param {Measure} name
 * @returns {Pair}
 */
export function endsOf(point, name) {
  const mean = meanOf(point, name);
  return [point[name]?.low ?? mean, point[name]?.high ?? mean];
}

/**
 * Points that no other point equals or beats in both; low similarity is good, and so is high
 * alignment, but many evaluations are not.
 * @param {readonly Point[]} points
 * @param {Cost} cost
 */
export function paretoFront(points, cost) {
  const sign = cost === 'alignment' ? 1 : -1;
  /** @type {(a: Point, b: Point) => boolean} */
  const asGood = (a, b) =>
    meanOf(a, 'similarity') <= meanOf(b, 'similarity') &&
    sign * meanOf(a, cost) >= sign * meanOf(b, cost);
  return points
    .filter((a) => !points.some((b) => b !== a && asGood(b, a) && !asGood(a, b)))
    .sort((a, b) => meanOf(a, 'similarity') - meanOf(b, 'similarity'));
}

// Where a name may stand: up, down and aside, the nearer the sooner.
/** @type {Pair[]} */
const SIDES = [
  [0, -1],
  [0, 1],
  [1, 0],
  [-1, 0],
  [1, -1],
  [1, 1],
  [-1, -1],
  [-1, 1],
];
const PLACES = [14, 28, 42, 56, 70].flatMap((far) => SIDES.map(([x, y]) => [x * far, y * far]));
const LETTER = 7; // pixels

/**
 * How far each name stands from its point, so that it covers no other name, no point and no edge.
 * @param {readonly { x: number, y: number }[]} points in pixels
 * @param {readonly string[]} names
 * @param {{ width: number, height: number }} size
 */
export function nameOffsets(points, names, { width, height }) {
  const taken = points.map(({ x, y }) => ({ x0: x - 6, y0: y - 6, x1: x + 6, y1: y + 6 }));
  return points.map(({ x, y }, i) => {
    const half = (names[i].length * LETTER) / 2;
    const places = PLACES.map(([dx, dy]) => [dx + Math.sign(dx) * half, dy]);
    /** @param {number[]} place */
    const boxAt = ([dx, dy]) => ({
      x0: x + dx - half,
      y0: y + dy - 7,
      x1: x + dx + half,
      y1: y + dy + 7,
    });
    /** @param {number[]} place */
    const isFree = (place) => {
      const a = boxAt(place);
      if (a.x0 < 0 || a.x1 > width || a.y0 < 0 || a.y1 > height) return false;
      return taken.every(
        (b, k) => k === i || a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0,
      );
    };
    const place = places.find(isFree) ?? places[0];
    taken.push(boxAt(place));
    return place;
  });
}

/**
 * @param {Point[]} points
 * @param {Cost} cost
 * @param {Methods} methods
 * @param {{ width: number, height: number }} size
 * @param {Palette} colors
 */
function drawTradeoff(points, cost, methods, size, colors) {
  const [x, y] = [roomyRange(points, 'similarity', 0.14), roomyRange(points, cost, 0.1)];
  const spots = points.map((point) => ({
    x: shareOf(meanOf(point, 'similarity'), x) * size.width,
    y: (1 - shareOf(meanOf(point, cost), y)) * size.height,
  }));
  const names = points.map((point) => point.name.replace(/.*\((.*)\)$/, '$1'));
  const offsets = nameOffsets(spots, names, size);
  const annotations = points.map((point, i) => ({
    x: meanOf(point, 'similarity'),
    y: meanOf(point, cost),
    text: names[i],
    ax: offsets[i][0],
    ay: offsets[i][1],
    arrowhead: 0,
    arrowwidth: 1,
    arrowcolor: colors.soft,
    font: { color: colors.text, size: 11 },
  }));
  const best = paretoFront(points, cost);
  const line = {
    type: 'scatter',
    mode: 'lines',
    x: best.map((point) => meanOf(point, 'similarity')),
    y: best.map((point) => meanOf(point, cost)),
    line: { color: colors.soft, width: 1.5, dash: 'dot' },
    hoverinfo: 'skip',
  };
  const dots = points.map((point) => pointTrace(point, cost, methods, colors));
  const layout = baseLayout(colors, {
    xaxis: { title: { text: 'similarity (lower copies less)' }, range: x },
    yaxis: { title: { text: cost }, range: y },
    annotations,
  });
  return { data: [line, ...dots], layout };
}

/**
 * @param {Point} point
 * @param {Cost} cost
 * @param {Methods} methods
 * @param {Palette} colors
 */
function pointTrace(point, cost, methods, colors) {
  const { symbol, ...method } = methods[point.method] ?? { symbol: 'circle', color: 0 };
  const color = colors.method(method);
  /** @param {Measure} name */
  const bar = (name) => {
    const [low, high] = endsOf(point, name);
    const mean = meanOf(point, name);
    const lengths = { array: [high - mean], arrayminus: [mean - low] };
    return { type: 'data', symmetric: false, ...lengths, color, thickness: 1, width: 3 };
  };
  return {
    type: 'scatter',
    mode: 'markers',
    x: [meanOf(point, 'similarity')],
    y: [meanOf(point, cost)],
    error_x: bar('similarity'),
    error_y: bar(cost),
    marker: { symbol, color, size: 11 },
    hovertemplate: `<b>${point.name}</b><br>similarity %{x:.3f}<br>${cost} %{y:.3f}<extra></extra>`,
  };
}

/**
 * @param {number} value
 * @param {Pair} range
 */
function shareOf(value, [low, high]) {
  return (value - low) / (high - low);
}

/**
 * The range of a figure with room for its labels.
 * @param {Point[]} points
 * @param {Measure} name
 * @param {number} share of the range on either side
 * @returns {Pair}
 */
function roomyRange(points, name, share) {
  const ends = points.flatMap((point) => endsOf(point, name));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = share * (high - low || 1);
  return [low - room, high + room];
}

/**
 * @param {Point[]} points
 * @param {Cost} cost
 * @param {string} source
 */
function tradeoffWords(points, cost, source) {
  const names = paretoFront(points, cost).map((point) => point.name);
  const best = `No other point is better in both: ${names.join(', ')}.`;
  return `Means over the pictures of ${source}, with 95 % intervals. ${best}`;
}
