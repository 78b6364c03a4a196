// The share of attention on each token of the prompt, step by step, of the chosen picture.

import { makeFigure } from '../shared/figure.js';
import { baseLayout } from '../shared/plot.js';
import { heatScale } from './heat_scale.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../shared/plot.js').Palette} Palette
 */

const ABOUT =
  'the share of cross-attention on each token, all padding as one. Memorized prompts keep ' +
  'looking at the padding and the end token.';

/** @param {AbortSignal} lifetime */
export function makeAttention(lifetime) {
  const figure = makeFigure('attention', 'Attention on each token', lifetime);
  /**
   * @param {View} view
   * @param {number} selected
   */
  const draw = ({ attention = {}, cells = [], timesteps = [], command = '' }, selected) => {
    const rows = attention[selected] ?? [];
    figure.node.hidden = !rows.length;
    if (figure.node.hidden) return;
    const cell = cells[selected];
    const names = [...cell.tokens, 'padding'];
    figure.source.command = command;
    figure.source.rows = () =>
      rows.map((shares, step) => ({ step, t: timesteps[step], ...tokenColumns(names, shares) }));
    figure.describe(`${cell.name}, seed ${cell.seed}: ${ABOUT}`);
    figure.plot.style.height = `${Math.min(720, 90 + 22 * names.length)}px`;
    figure.draw((colors) => drawAttention(names, rows, colors));
  };
  return { node: figure.node, draw };
}

/**
 * Tokens may repeat, so that each carries its place.
 * @param {string[]} names
 * @param {number[]} shares
 */
function tokenColumns(names, shares) {
  return Object.fromEntries(names.map((name, i) => [`${i} ${name}`, shares[i]]));
}

/**
 * @param {string[]} names
 * @param {number[][]} rows a step each
 * @param {Palette} colors
 */
function drawAttention(names, rows, colors) {
  const places = names.map((_, i) => i);
  const map = {
    type: 'heatmap',
    y: places,
    z: places.map((i) => rows.map((shares) => shares[i])),
    colorscale: heatScale(colors),
    colorbar: { thickness: 10, outlinewidth: 0, title: { text: 'share', side: 'right' } },
    customdata: names.map((name) => rows.map(() => name)),
    hovertemplate: '%{customdata}<br>step %{x}: %{z:.3f}<extra></extra>',
  };
  const xaxis = { title: { text: 'step' }, showgrid: false };
  const yaxis = { tickvals: places, ticktext: names, autorange: 'reversed', showgrid: false };
  return { data: [map], layout: baseLayout(colors, { xaxis, yaxis }) };
}
