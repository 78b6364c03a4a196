// A titled figure with its sentence, its plot and its exports.

import { recordRows, saveCsv } from './csv.js';
import { button, copyText, h } from './dom.js';
import { makePlot } from './plot.js';

/**
 * @typedef {import('./plotly').PlotNode} PlotNode
 * @typedef {ReturnType<typeof makeFigure>} Figure
 */

/**
 * @param {string} name of its files and its elements
 * @param {string} title
 * @param {AbortSignal} lifetime
 * @param {Parameters<typeof makePlot>[2]} [hooks]
 */
export function makeFigure(name, title, lifetime, hooks) {
  const words = h('p', { class: 'mv-soft mvt-words' });
  const plot = makePlot(lifetime, { class: 'mvt-plot', id: `mvt-${name}` }, hooks);
  const box = h('div', { class: 'mvt-box' }, plot.node);
  const tools = h('div', { class: 'mvt-tools' });
  const head = h('h3', { id: `mvt-${name}-title` }, title);
  const looks = { class: 'mvt-figure', 'aria-labelledby': head.id };
  /** What the exports hold. @type {{ command: string, rows: () => Record<string, unknown>[] }} */
  const source = { command: '', rows: () => [] };
  const exports = exportBar(name, plot.node, source);
  const node = h('section', looks, head, tools, words, box, exports);

  /** @param {string} text what the plot shows, in words */
  const describe = (text) => {
    words.textContent = text;
    plot.node.setAttribute('role', 'img');
    plot.node.setAttribute('aria-label', text);
  };
  return { node, head, plot: plot.node, box, tools, source, draw: plot.draw, describe };
}

/**
 * @param {string} name
 * @param {PlotNode} plot
 * @param {{ command: string, rows: () => Record<string, unknown>[] }} source
 */
function exportBar(name, plot, source) {
  const size = { width: 1000, height: 600 };
  /** @param {string} format */
  const picture = (format) => () =>
    window.Plotly?.downloadImage(plot, { format, filename: `memviz-${name}`, ...size });
  const copy = smallButton('Copy command', () => copyText(source.command, copy));
  return h(
    'div',
    { class: 'mvt-exports', role: 'group', 'aria-label': 'Export' },
    smallButton('PNG', picture('png')),
    smallButton('SVG', picture('svg')),
    smallButton('CSV', () => saveCsv(`memviz-${name}.csv`, recordRows(source.rows()))),
    copy,
  );
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
export function smallButton(text, onclick) {
  return button(text, { class: 'mvt-small', onclick });
}

/**
 * Buttons of which one is pressed.
 * @param {string} label
 * @param {readonly (readonly [string, string])[]} options keys with their words
 * @param {string} chosen
 * @param {(key: string) => void} change
 */
export function makeChoice(label, options, chosen, change) {
  const group = h('div', { class: 'mvt-choice', role: 'group', 'aria-label': label });
  for (const [key, text] of options) {
    const node = smallButton(text, () => {
      for (const other of group.children) other.setAttribute('aria-pressed', `${other === node}`);
      change(key);
    });
    node.setAttribute('aria-pressed', String(key === chosen));
    group.append(node);
  }
  return group;
}
