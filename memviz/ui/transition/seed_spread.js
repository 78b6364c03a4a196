// The estimated transition over the seeds: how it is spread, how clear it is, what hangs on it.

import { formatNumber, isMissing } from '../shared/dom.js';
import { makeChoice, makeFigure } from '../shared/figure.js';
import { baseLayout, levelLine } from '../shared/plot.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').SeedEstimate} Estimate
 * @typedef {'estimated_timestep' | 'prominent_timestep'} Rule
 * @typedef {import('../shared/plot.js').Palette} Palette
 */

/** @type {[Rule, string][]} */
const RULES = [
  ['estimated_timestep', 'Paper’s rule'],
  ['prominent_timestep', 'Prominent minima only'],
];

/**
 * @param {AbortSignal} lifetime
 * @param {{ select: (cell: number) => void }} actions
 */
export function makeSpread(lifetime, actions) {
  const figure = makeFigure('seeds', 'The estimated transition by seed', lifetime, {
    bind: (plot) =>
      plot.on('plotly_click', ({ points }) => {
        if (typeof points[0].customdata === 'number') actions.select(points[0].customdata);
      }),
  });
  /** @type {Rule} */
  let rule = 'estimated_timestep';
  /** @type {View} */
  let view = {};

  const redraw = () => {
    const spread = view.spread ?? [];
    figure.node.hidden = spread.length < 2;
    if (figure.node.hidden) return;
    figure.describe(spreadWords(spread, rule));
    figure.draw((colors) => drawSpread(spread, rule, view.thresholds?.copied, colors));
  };
  const choose = makeChoice('Rule', RULES, rule, (key) => {
    rule = /** @type {Rule} */ (key);
    redraw();
  });
  figure.tools.append(choose);
  /** @param {View} next */
  const draw = (next) => {
    view = next;
    figure.source.command = view.command ?? '';
    figure.source.rows = () => (view.spread ?? []).map((estimate) => ({ ...estimate }));
    redraw();
  };
  return { node: figure.node, draw };
}

/**
 * @param {Estimate[]} spread
 * @param {Rule} rule
 * @param {number | null | undefined} copied the copy mark
 * @param {Palette} colors
 */
function drawSpread(spread, rule, copied, colors) {
  const found = spread.filter((seed) => !isMissing(seed[rule]));
  const x = found.map((seed) => seed[rule]);
  const color = colors.method({ color: 1 });
  const bars = {
    type: 'histogram',
    x,
    xbins: { start: 0, end: 1000, size: 50 },
    yaxis: 'y2',
    marker: { color, opacity: 0.35 },
    hovertemplate: '%{y} seeds, t = %{x}<extra></extra>',
  };
  const sizes = found.map((seed) => 7 + 4 * Math.min(3, seed.estimated_prominence ?? 0));
  const dots = {
    type: 'scatter',
    mode: 'markers',
    x,
    y: found.map((seed) => seed.similarity),
    customdata: found.map((seed) => seed.cell),
    text: found.map((s) => `seed ${s.seed}, prominence ${formatNumber(s.estimated_prominence)}`),
    marker: { color, size: sizes, line: { color: colors.paper, width: 1 } },
    hovertemplate: '%{text}<br>t = %{x}, similarity %{y:.2f}<extra></extra>',
  };
  const layout = baseLayout(colors, {
    xaxis: {
      title: { text: 'estimated transition (timestep)' },
      range: [1000, 0],
      anchor: 'y2',
    },
    yaxis: { title: { text: 'similarity' }, range: [0, 1.05], domain: [0.36, 1] },
    yaxis2: {
      title: { text: 'seeds' },
      domain: [0, 0.26],
      gridcolor: colors.rule,
      zeroline: false,
      ...(found.length < 5 ? { dtick: 1 } : { nticks: 4 }),
    },
    shapes: copied ? [levelLine(copied, colors)] : [],
  });
  return { data: [bars, dots], layout };
}

/**
 * Whether pictures whose transition was found are nearer to the training images.
 * @param {Pick<Estimate, Rule | 'similarity'>[]} all
 * @param {Rule} rule
 */
export function dependenceWords(all, rule) {
  /** @param {boolean} wanted */
  const mean = (wanted) => {
    const group = all.filter((seed) => isMissing(seed[rule]) !== wanted);
    const values = group.map((seed) => seed.similarity).filter((value) => !isMissing(value));
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  };
  const [has, lacks] = [mean(true), mean(false)];
  if (has === null || lacks === null) return '';
  return ` Mean similarity: ${formatNumber(has)} with one, ${formatNumber(lacks)} without.`;
}

/**
 * @param {Estimate[]} all
 * @param {Rule} rule
 */
function spreadWords(all, rule) {
  const none = all.filter((seed) => isMissing(seed[rule])).length;
  const share = Math.round((100 * none) / all.length);
  const differ = all.filter((seed) => seed.estimated_timestep !== seed.prominent_timestep).length;
  return [
    `${all.length} seeds; ${none} (${share} %) without a transition.${dependenceWords(all, rule)}`,
    differ ? `The two rules differ on ${differ} of them.` : 'The two rules agree on all of them.',
    'Larger dots: deeper minima. The dotted line is the copy mark.',
  ].join(' ');
}
