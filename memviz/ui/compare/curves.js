// The three curves in one plot. The cursor is a plain element, so moving it redraws nothing.

import { h, lineIcon } from '../shared/dom.js';
import {
  bandTraces,
  baseLayout,
  levelLine,
  makePlot,
  quietAxis,
  zoomMode,
} from '../shared/plot.js';
import { cellName, methodOf } from './names.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 * @typedef {import('../shared/plot.js').Palette} Palette
 * @typedef {import('../shared/plot.js').Trace} Trace
 * @typedef {typeof PANELS[number]} Panel
 * @typedef {{ view: View, selected: number, hidden: ReadonlySet<string> }} Shown
 *   and the methods whose curves are hidden
 */

export const PANELS = /** @type {const} */ ([
  {
    name: 'magnitude',
    title: 'Magnitude: how hard the prompt pulls',
    axis: 'y',
    domain: [0.72, 0.95],
  },
  { name: 'scale', title: 'Scale: the guidance in force', axis: 'y2', domain: [0.39, 0.61] },
  {
    name: 'similarity',
    title: 'Similarity to the nearest training image',
    axis: 'y3',
    domain: [0, 0.28],
  },
]);
const PLAIN = { symbol: 'circle', dash: 'solid', color: 0 };
const REST = 80; // ms until a newly chosen cell's curves come to the front

/**
 * @param {AbortSignal} lifetime
 * @param {{ go: (step: number) => void }} actions
 */
export function makeCurves(lifetime, actions) {
  const cursor = h('div', { class: 'mv-cursor', hidden: true });
  /** @type {Set<string>} */
  const hidden = new Set();
  /** @type {View | undefined} */
  let view;
  let step = 0;
  let selected = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const place = () => {
    const axis = plot.node._fullLayout?.xaxis;
    if (!axis) return;
    const x = axis.l2p(step);
    cursor.hidden = x < 0 || x > axis._length;
    cursor.style.transform = `translateX(${axis._offset + x}px)`;
  };
  const plot = makePlot(
    lifetime,
    { class: 'mv-plot', role: 'img' },
    {
      after: place,
      bind: (node) => {
        node.on('plotly_click', (event) => actions.go(Math.round(event.points[0].x)));
        node.on('plotly_relayout', place);
        node.on('plotly_afterplot', place);
      },
    },
  );
  const redraw = () => {
    const shown = view;
    if (shown) plot.draw((colors) => drawCurves({ view: shown, selected, hidden }, colors));
  };
  const legend = h('div', { class: 'mv-legend', role: 'group', 'aria-label': 'Curves shown' });
  const box = h('div', { class: 'mv-plotbox' }, plot.node, cursor);
  const node = h('div', { class: 'mv-curves' }, legend, box);

  /** @param {View} next */
  const draw = (next) => {
    view = next;
    const words = Object.values(view.summaries).join(' ') || 'Curves so far';
    plot.node.setAttribute('aria-label', words);
    legend.replaceChildren(...legendButtons(view, hidden, redraw));
    redraw();
  };
  /** @param {number} next */
  const moveCursor = (next) => {
    step = next;
    place();
  };
  /** @param {number} number */
  const select = (number) => {
    if (selected === number) return;
    selected = number;
    clearTimeout(timer);
    timer = setTimeout(redraw, REST);
  };
  return { node, draw, moveCursor, select };
}

/**
 * @param {Shown} shown
 * @param {Palette} colors
 */
function drawCurves(shown, colors) {
  const { view } = shown;
  const lines = view.cells.flatMap((cell) =>
    PANELS.map((panel) => cellTrace(shown, cell, panel, colors)),
  );
  const data = [...bandTraces(view.band, colors), ...lines, ...switchTraces(shown, colors)];
  return { data, layout: curvesLayout(view, colors) };
}

/**
 * @param {Shown} shown
 * @param {Cell} cell
 * @param {Panel} panel
 * @param {Palette} colors
 * @returns {Trace}
 */
function cellTrace({ view, selected, hidden }, cell, panel, colors) {
  const method = methodOf(view, cell) ?? PLAIN;
  const y = cell.trace[panel.name];
  const strong = cell.cell === selected;
  const color = colors.method(method);
  const shape = panel.name === 'scale' ? 'hv' : 'linear';
  const where = `<b>${cellName(view, cell)}</b><br>step %{x}, t=%{customdata}<br>`;
  return {
    type: 'scatter',
    mode: 'lines+markers',
    x: y.map((_, step) => step),
    y,
    yaxis: panel.axis,
    customdata: view.timesteps,
    visible: !hidden.has(cell.method),
    opacity: strong ? 1 : 0.75,
    line: { color, dash: method.dash, width: strong ? 3.2 : 1.6, shape },
    marker: { color, symbol: method.symbol, size: strong ? 9 : 6, maxdisplayed: 7 },
    hovertemplate: `${where}${panel.name} %{y:.2f}<extra></extra>`,
  };
}

/**
 * A large open marker where each method's guidance comes on.
 * @param {Shown} shown
 * @param {Palette} colors
 * @returns {Trace[]}
 */
function switchTraces({ view, hidden }, colors) {
  return view.cells.flatMap((cell) => {
    const step = cell.transition_step;
    if (step === null || !Number.isInteger(step) || hidden.has(cell.method)) return [];
    const { symbol, color } = methodOf(view, cell) ?? PLAIN;
    const marker = { symbol: `${symbol}-open`, size: 15, color: colors.method({ color }) };
    const trace = {
      type: 'scatter',
      mode: 'markers',
      x: [step],
      y: [cell.trace.magnitude[step] ?? null],
      marker: { ...marker, line: { width: 2.5 } },
      hovertemplate: `<b>${cellName(view, cell)}</b><br>${cell.where}<extra></extra>`,
    };
    return [trace];
  });
}

/**
 * @param {View} view
 * @param {Palette} colors
 */
function curvesLayout(view, colors) {
  const axis = { ...quietAxis(colors), nticks: 5, automargin: false };
  const [magnitude, scale, similarity] = PANELS.map(({ domain }) => ({ ...axis, domain }));
  const copied = view.thresholds.copied;
  return baseLayout(colors, {
    xaxis: {
      ...axis,
      nticks: 9,
      range: [-0.5, view.steps - 0.5],
      anchor: 'y3',
      title: { text: 'step', standoff: 6 },
    },
    yaxis: { ...magnitude, rangemode: 'tozero' },
    yaxis2: scale,
    yaxis3: { ...similarity, range: [0, 1.02] },
    uirevision: view.id, // keeps the zoom when only the data changes
    margin: { l: 38, r: 10, t: 4, b: 38 },
    dragmode: zoomMode(),
    annotations: [...panelTitles(colors), ...markNotes(view, colors)],
    shapes: copied ? [levelLine(copied, colors, 'y3')] : [],
  });
}

/** @param {Palette} colors */
function panelTitles(colors) {
  return PANELS.map((panel) => ({
    text: panel.title,
    xref: 'paper',
    x: 0,
    xanchor: 'left',
    yref: 'paper',
    y: panel.domain[1] + 0.005,
    yanchor: 'bottom',
    showarrow: false,
    font: { color: colors.text, size: 13 },
  }));
}

/**
 * What the dotted line and the gray band are, said where curves seldom come.
 * @param {View} view
 * @param {Palette} colors
 */
function markNotes(view, colors) {
  const note = { xref: 'paper', showarrow: false, font: { color: colors.soft, size: 11 } };
  const right = { x: 0.99, xanchor: 'right' };
  const bottom = { ...right, yref: 'y3', y: 0, yanchor: 'bottom' };
  // copies pull hardest at the first steps, on the left
  const top = { ...right, yref: 'paper', y: PANELS[0].domain[1], yanchor: 'top' };
  const { copied } = view.thresholds;
  return [
    ...(copied ? [{ ...note, ...bottom, text: `dotted: copy mark ${copied}` }] : []),
    ...(view.band ? [{ ...note, ...top, text: 'gray: ordinary prompts' }] : []),
  ];
}

/**
 * A button a method, which hides its curves.
 * @param {View} view
 * @param {Set<string>} hidden
 * @param {() => void} redraw
 */
function legendButtons(view, hidden, redraw) {
  return Object.entries(view.methods).flatMap(([key, method]) => {
    if (!method) return [];
    const node = h('button', { type: 'button', class: 'mv-key', title: method.label });
    node.append(lineIcon(method), method.short);
    const press = () => node.setAttribute('aria-pressed', String(!hidden.has(key)));
    node.addEventListener('click', () => {
      if (!hidden.delete(key)) hidden.add(key);
      press();
      redraw();
    });
    press();
    return [node];
  });
}
