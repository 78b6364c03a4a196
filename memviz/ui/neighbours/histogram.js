// Similarities of one's pictures over those of the training images among themselves.

import { h, svg } from '../shared/dom.js';

/** @typedef {Pick<import('../views').PairsView, 'histogram' | 'marks' | 'words'>} View */

const HEIGHT = 110; // in the chart's own units, so that words keep their size

/** @param {View} view */
export function histogramFigure(view) {
  const width = innerWidth < 640 ? 300 : 600;
  const first = firstTenth(view);
  /** @param {number} similarity */
  const at = (similarity) => (width * (similarity - first)) / (1 - first);
  const viewBox = `-14 -16 ${width + 74} ${HEIGHT + 36}`;
  const chart = svg('svg', { viewBox, role: 'img', 'aria-label': view.words });
  chart.append(
    ...bars(view.histogram.background, 'mv-null', first, width),
    ...bars(view.histogram.pictures, 'mv-mine', first, width),
    ...markParts('close', view.marks.close, at(view.marks.close), 'end'),
    ...markParts('copied', view.marks.copied, at(view.marks.copied), 'start'),
  );
  for (let tenth = Math.round(10 * first); tenth <= 10; tenth += 1) {
    chart.append(label(at(tenth / 10), HEIGHT + 15, (tenth / 10).toFixed(1)));
  }
  const legend = h('figcaption', { class: 'mv-soft' }, view.words);
  return h('figure', { class: 'mv-histogram' }, chart, legend);
}

/**
 * @param {string} name
 * @param {number} similarity
 * @param {number} x
 * @param {'start' | 'end'} anchor
 */
function markParts(name, similarity, x, anchor) {
  const line = svg('path', { d: `M${x} -12V${HEIGHT}`, class: 'mv-mark' });
  const aside = anchor === 'end' ? -4 : 4;
  return [line, label(x + aside, -4, `${name} ${similarity.toFixed(2)}`, anchor)];
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {string} [anchor]
 */
function label(x, y, text, anchor = 'middle') {
  const looks = { 'text-anchor': anchor, 'font-size': 11, fill: 'currentColor' };
  return svg('text', { x, y, ...looks }, text);
}

/**
 * The tenth below the first bar and the marks: nothing is to be seen left of it.
 * @param {Pick<View, 'histogram' | 'marks'>} view
 */
export function firstTenth({ histogram: { pictures, background }, marks }) {
  const bin = background.findIndex((count, i) => count || pictures[i]);
  const bar = bin < 0 ? 1 : bin / background.length;
  return Math.floor(10 * Math.min(bar, marks.close, marks.copied, 0.9)) / 10;
}

/**
 * @param {number[]} all
 * @param {string} kind
 * @param {number} first
 * @param {number} width
 */
function bars(all, kind, first, width) {
  const counts = all.slice(Math.round(first * all.length));
  const [top, step] = [Math.max(...counts, 1), width / counts.length];
  return counts.flatMap((count, i) => {
    if (!count) return [];
    const height = Math.max(2, (HEIGHT * count) / top);
    const box = { x: i * step, y: HEIGHT - height, width: step - 1, height };
    return [svg('rect', { ...box, class: kind })];
  });
}
