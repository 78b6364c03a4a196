// Charts that are updated in place, zoom and all.

import { h } from '../shared/dom.js';
import { baseLayout, makePlot, zoomMode } from '../shared/plot.js';

/**
 * @typedef {import('../views').TrainView} View
 * @typedef {import('../shared/plot.js').Palette} Palette
 * @typedef {import('../shared/plot.js').Trace} Trace
 * @typedef {import('../shared/plot.js').Layout} Layout
 * @typedef {{ x: number, text: string }} PlaceMark a named line at a place of the x axis
 * @typedef {{ x: string, yaxis?: Layout['yaxis'], marks?: () => PlaceMark[] }} Axes
 */

const MARKS = [
  { symbol: 'circle', dash: 'solid', color: 0 },
  { symbol: 'diamond', dash: 'dash', color: 1 },
  { symbol: 'square', dash: 'dot', color: 2 },
  { symbol: 'triangle-up', dash: 'dashdot', color: 3 },
];

/**
 * @param {AbortSignal} lifetime
 * @param {string} title
 * @param {Axes} axes
 */
export function makeChart(lifetime, title, axes) {
  const plot = makePlot(lifetime, { class: 'mv-chart', role: 'img' });
  const head = h('div', { class: 'mv-chartname' }, h('h3', {}, title));
  const words = h('p', { class: 'mv-soft' });
  const node = h('figure', { class: 'mv-figure' }, head, plot.node, words);
  /** @type {string | null} */
  let drawn = null;

  /**
   * @param {string} revision the zoom is kept as long as it is the same
   * @param {string | undefined} text
   * @param {(colors: Palette) => Trace[]} make
   */
  const draw = (revision, text, make) => {
    words.textContent = text || 'Nothing was measured yet.';
    plot.node.setAttribute('aria-label', `${title}. ${words.textContent}`);
    plot.draw((colors) => {
      const data = make(colors);
      const layout = chartLayout(revision, axes, colors, data.length > 1);
      if (drawn === revision) keepZoom(plot.node._fullLayout, layout);
      drawn = revision;
      return { data, layout };
    });
  };
  return { node, head, draw };
}

/**
 * `uirevision` alone forgets a zoom when a chart is redrawn within another's update.
 * @param {import('../shared/plotly').PlotNode['_fullLayout']} shown
 * @param {Layout} layout
 */
function keepZoom(shown, layout) {
  for (const name of /** @type {const} */ (['xaxis', 'yaxis'])) {
    if (!shown || shown[name].autorange) continue;
    layout[name] = { ...layout[name], range: [...shown[name].range] };
  }
}

/**
 * @param {string} revision
 * @param {Axes} axes
 * @param {Palette} colors
 * @param {boolean} legend
 */
function chartLayout(revision, axes, colors, legend) {
  return baseLayout(colors, {
    xaxis: { nticks: 7, title: { text: axes.x, standoff: 6 } },
    yaxis: { nticks: 5, ...axes.yaxis },
    uirevision: revision,
    margin: { l: 46, r: 8, t: 6, b: 40 },
    showlegend: legend,
    legend: {
      orientation: 'h',
      y: 1.02,
      yanchor: 'bottom',
      x: 0,
      font: { color: colors.text },
    },
    dragmode: zoomMode(),
    ...upright(axes.marks?.() ?? [], colors),
  });
}

/**
 * @param {PlaceMark[]} marks
 * @param {Palette} colors
 */
function upright(marks, colors) {
  const line = { color: colors.text, width: 1.5, dash: 'dot' };
  const place = { yref: 'paper', y: 1, xanchor: 'left', yanchor: 'top', xshift: 4 };
  const looks = { showarrow: false, font: { color: colors.text } };
  return {
    shapes: marks.map(({ x }) => ({
      type: 'line',
      x0: x,
      x1: x,
      y0: 0,
      y1: 1,
      yref: 'paper',
      line,
    })),
    annotations: marks.map((mark) => ({ ...place, ...looks, ...mark })),
  };
}

/**
 * @param {View} view
 * @param {Palette} colors
 * @returns {Trace[]}
 */
export function lossTraces(view, colors) {
  const line = { color: colors.method(MARKS[1]), width: 1.8 };
  const hovertemplate = 'step %{x}<br>loss %{y:.4f}<extra></extra>';
  const mode = view.loss.y.length === 1 ? 'markers' : 'lines'; // one point makes no line
  const now = { type: 'scatter', mode, name: 'of each step', ...view.loss, line, hovertemplate };
  const fixed = Object.entries(view.fixed_loss).map(([name, curve], i) => {
    const mark = MARKS[2 * i];
    const color = colors.method(mark);
    const marker = { color, symbol: mark.symbol, size: 8 };
    const drawn = { color, dash: mark.dash, width: 1.8 };
    return { type: 'scatter', mode: 'lines+markers', name, ...curve, line: drawn, marker };
  });
  return [now, ...fixed];
}

/**
 * @param {View} view
 * @param {import('../views').ProbeMeasure} measure
 * @param {Palette} colors
 * @returns {Trace[]}
 */
export function probeTraces(view, measure, colors) {
  const format = measure === 'copied' ? '%{y:.0%}' : '%{y:.3f}';
  return Object.values(view.probes).map((curve, i) => {
    const mark = MARKS[i % MARKS.length];
    const color = colors.method(mark);
    return {
      type: 'scatter',
      mode: 'lines+markers',
      cliponaxis: false, // whole marks on the zero line
      name: curve.label,
      x: curve.x,
      y: curve[measure],
      line: { color, dash: mark.dash, width: 2 },
      marker: { color, symbol: mark.symbol, size: 8 },
      hovertemplate:
        `<b>${curve.label}</b><br>step %{x}<br>` +
        `${view.measures[measure]} ${format}<extra></extra>`,
    };
  });
}

/**
 * The newest round in full, the first one faint beside it.
 * @param {View} view
 * @param {Palette} colors
 * @param {'skipped_by_t' | 'bank_by_t'} column
 * @returns {Trace[]}
 */
export function gateTraces({ gates, timesteps }, colors, column) {
  const rounds = gates.length > 1 ? [gates[0], gates[gates.length - 1]] : gates;
  return rounds.map((gate, i) => {
    const newest = i === rounds.length - 1;
    const mark = MARKS[newest ? 0 : 1];
    const width = newest ? 2.4 : 1.6;
    return {
      type: 'scatter',
      mode: 'lines',
      name: `round ${gate.round}`,
      x: timesteps,
      y: gate[column],
      opacity: newest ? 1 : 0.7,
      line: { color: colors.method(mark), dash: mark.dash, width, shape: 'hvh' },
      hovertemplate: `<b>round ${gate.round}</b><br>t about %{x}<br>%{y:.3f}<extra></extra>`,
    };
  });
}
