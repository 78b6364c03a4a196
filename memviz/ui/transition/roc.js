// How well each reading of the score tells memorized prompts from ordinary ones.

import { makeFigure } from '../shared/figure.js';
import { lifetimeOf } from '../shared/lifetime.js';
import { baseLayout } from '../shared/plot.js';

/**
 * @typedef {import('../views').RocView} View
 * @typedef {import('../shared/plot.js').Palette} Palette
 */

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch }) {
  const root = /** @type {Element} */ (element.querySelector('.mv-root'));
  const figure = makeFigure('roc', 'How well does the score tell?', lifetimeOf(element));
  root.classList.add('mvt-root');
  root.replaceChildren(figure.node);

  const draw = () => {
    const { readings = [], command = '' } = props.value ?? {};
    figure.node.hidden = !readings.length;
    if (!readings.length) return;
    figure.source.command = command;
    figure.source.rows = () =>
      readings.flatMap(({ name, roc }) =>
        roc.fpr.map((fpr, i) => ({ reading: name, fpr, tpr: roc.tpr[i] })),
      );
    figure.describe(readings.map(({ words }) => words).join(' '));
    figure.draw((colors) => drawRoc(readings, colors));
  };
  watch('value', draw);
  draw();
}

/**
 * @param {View['readings']} readings
 * @param {Palette} colors
 */
function drawRoc(readings, colors) {
  const lines = readings.map(({ name, roc }, i) => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x: roc.fpr,
    y: roc.tpr,
    line: {
      color: colors.method({ color: i % 7 }),
      width: 2.5,
      dash: ['solid', 'dash', 'dot'][i % 3],
    },
    hovertemplate: `<b>${name}</b><br>false positives %{x:.2f}, true positives %{y:.2f}<extra></extra>`,
  }));
  const chance = {
    type: 'scatter',
    mode: 'lines',
    x: [0, 1],
    y: [0, 1],
    hoverinfo: 'skip',
    showlegend: false,
    line: { color: colors.rule, width: 1 },
  };
  /** @param {string} text */
  const axis = (text) => ({ title: { text }, range: [-0.02, 1.02] });
  const layout = baseLayout(colors, {
    xaxis: axis('false positive rate'),
    yaxis: axis('true positive rate'),
    showlegend: true,
  });
  return { data: [chance, ...lines], layout };
}
