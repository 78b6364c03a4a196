// What all plots of the page share: plotly, loaded when it is first needed, and one life cycle.

import { h } from './dom.js';
import { onLookChange } from './lifetime.js';

/**
 * @typedef {import('./plotly').Plotly} Plotly
 * @typedef {import('./plotly').PlotNode} PlotNode
 * @typedef {import('./plotly').Trace} Trace
 * @typedef {import('./plotly').Layout} Layout
 * @typedef {ReturnType<typeof readPalette>} Palette
 * @typedef {{ data: Trace[], layout: Layout }} Drawing
 */

const SOURCE = '../vendor/plotly-cartesian.min.js';
const CONFIG = {
  displaylogo: false,
  displayModeBar: false, // its buttons cannot be reached by keyboard; double click resets
  doubleClick: 'reset',
  responsive: false,
};

/** @type {Promise<Plotly> | undefined} */
let loading;

/**
 * Plotly, once for all plots of the page; after a failure the next plot tries again.
 * @returns {Promise<Plotly>}
 */
export function loadPlotly() {
  if (window.Plotly) return Promise.resolve(window.Plotly); // a page from disk holds it
  loading ??= new Promise((resolve, reject) => {
    const node = h('script', { src: new URL(SOURCE, import.meta.url).href });
    node.addEventListener('load', () => resolve(window.Plotly));
    node.addEventListener('error', () => {
      loading = undefined;
      reject(new Error('plotly.js could not be loaded'));
    });
    document.head.append(node);
  });
  return loading;
}

/**
 * A plot that is drawn in place, zoom and all, when its data, its size or the theme change.
 *
 * @param {AbortSignal} lifetime
 * @param {Record<string, unknown>} attributes of its element
 * @param {{ after?: (node: PlotNode) => void, bind?: (node: PlotNode) => void }} [hooks]
 *   what follows each drawing, and what listens to plotly's events from the first one on
 */
export function makePlot(lifetime, attributes, { after, bind } = {}) {
  const node = /** @type {PlotNode} */ (h('div', attributes));
  /** @type {((colors: Palette) => Drawing) | undefined} */
  let make;
  let waiting = false; // for plotly: what is asked meanwhile takes one drawing
  let bound = false;

  const run = async () => {
    const Plotly = await loadPlotly();
    waiting = false;
    if (!make || !node.clientWidth || lifetime.aborted) return;
    const { data, layout } = make(readPalette(node));
    const size = { width: node.clientWidth, height: node.clientHeight };
    await Plotly.react(node, data, { ...layout, ...size }, CONFIG);
    if (!bound) bind?.(node);
    bound = true;
    after?.(node);
  };
  const redraw = () => {
    if (waiting || !make || !node.clientWidth) return;
    waiting = true;
    run().catch((error) => {
      waiting = false;
      console.error(error);
    });
  };
  onLookChange(node, lifetime, redraw);
  lifetime.addEventListener('abort', () => window.Plotly?.purge(node));

  /** @param {(colors: Palette) => Drawing} next */
  const draw = (next) => {
    make = next;
    redraw();
  };
  return { node, draw, redraw };
}

/**
 * The layout that every plot begins with; what is given goes before.
 * @param {Palette} colors
 * @param {Layout} [layout]
 * @returns {Layout}
 */
export function baseLayout(colors, { xaxis, yaxis, ...more } = {}) {
  const axis = quietAxis(colors);
  return {
    margin: { l: 48, r: 12, t: 8, b: 44 },
    font: { color: colors.soft, size: 12, family: 'inherit' },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    hoverlabel: { bgcolor: colors.paper, font: { color: colors.text } },
    hovermode: 'closest',
    showlegend: false,
    dragmode: false,
    xaxis: { ...axis, ...xaxis },
    yaxis: { ...axis, ...yaxis },
    ...more,
  };
}

/** @param {Palette} colors */
export function quietAxis(colors) {
  return { gridcolor: colors.rule, zeroline: false, tickcolor: colors.rule, automargin: true };
}

/** A finger that drags scrolls the page. */
export function zoomMode() {
  return matchMedia('(pointer: coarse)').matches ? false : 'zoom';
}

/**
 * The theme's colors where the element stands.
 * @param {Element} node
 */
function readPalette(node) {
  const style = getComputedStyle(node);
  /** @param {string} name */
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    dark: document.body.classList.contains('dark'),
    text: read('--mv-text'),
    soft: read('--mv-soft'),
    rule: read('--mv-rule'),
    band: read('--mv-band'),
    paper: read('--mv-paper'),
    /** @param {{ color: number }} mark */
    method: (mark) => read(`--mv-c${mark.color}`),
  };
}

/**
 * The range that ordinary prompts stay in.
 * @param {{ low: readonly number[], high: readonly number[] } | null | undefined} band
 * @param {Palette} colors
 * @returns {Trace[]}
 */
export function bandTraces(band, colors) {
  if (!band) return [];
  const x = band.low.map((_, step) => step);
  const edge = { type: 'scatter', mode: 'lines', x, hoverinfo: 'skip', line: { width: 0 } };
  return [
    { ...edge, y: band.low },
    { ...edge, y: band.high, fill: 'tonexty', fillcolor: colors.band },
  ];
}

/**
 * A dotted line across the plot.
 * @param {number} y
 * @param {Palette} colors
 * @param {string} [yref]
 */
export function levelLine(y, colors, yref = 'y') {
  const line = { color: colors.soft, width: 1.2, dash: 'dot' };
  return { type: 'line', xref: 'paper', x0: 0, x1: 1, yref, y0: y, y1: y, line };
}
