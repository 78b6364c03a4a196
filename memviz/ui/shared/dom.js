// Elements, icons and text. Prompts and captions only ever become text nodes.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element; `onclick` and the like listen, `true` and `false` set and leave out an attribute.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') {
      node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * A button that submits nothing.
 * @param {string} text
 * @param {Record<string, unknown>} [attributes]
 */
export function button(text, attributes = {}) {
  return h('button', { type: 'button', class: 'mv-button', ...attributes }, text);
}

/**
 * Names with their values; those without a value are left out.
 * @param {readonly (readonly [string, string | null | undefined])[]} rows
 */
export function factList(rows) {
  const list = h('dl', { class: 'mv-facts' });
  for (const [name, value] of rows) if (value) list.append(h('dt', {}, name), h('dd', {}, value));
  return list;
}

/** Marker shapes as plotly draws them, in a 16 x 16 box. @type {Record<string, string>} */
const SHAPES = {
  circle: 'M8 2.5a5.5 5.5 0 1 0 .01 0z',
  square: 'M3 3h10v10H3z',
  diamond: 'M8 1.5 14.5 8 8 14.5 1.5 8z',
  'triangle-up': 'M8 2 14.5 13.5h-13z',
  'triangle-down': 'M8 14 1.5 2.5h13z',
  cross: 'M6 2h4v4h4v4h-4v4H6v-4H2V6h4z',
  x: 'M4.5 2 8 5.5 11.5 2 14 4.5 10.5 8l3.5 3.5-2.5 2.5L8 10.5 4.5 14 2 11.5 5.5 8 2 4.5z',
  pentagon: 'm8 1.5 6.5 4.8-2.5 7.7H4L1.5 6.3z',
  hexagon: 'm8 1.5 5.8 3.3v6.5L8 14.5l-5.8-3.2V4.8z',
  hourglass: 'M2.5 2h11l-11 12h11z',
  bowtie: 'M2 2.5v11l12-11v11z',
  'star-diamond': 'M2 2l6 2 6-2-2 6 2 6-6-2-6 2 2-6z',
  octagon: 'M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5z',
  'diamond-wide': 'M8 4 15 8 8 12 1 8z',
  'diamond-tall': 'M8 1 12 8 8 15 4 8z',
  'star-square': 'M2 2l6 3 6-3-3 6 3 6-6-3-6 3 3-6z',
  hexagram: 'M8 1l2 4h4.5L12 8l2.5 3H10l-2 4-2-4H1.5L4 8 1.5 5H6z',
  star: 'm8 1 2 5h5l-4 3.4 1.6 5.1L8 11.4l-4.6 3.1L5 9.4 1 6h5z',
};
/** Plotly's names of dashes as SVG has them. @type {Record<string, string>} */
const DASHES = {
  solid: '',
  dot: '2 3',
  dash: '6 4',
  dashdot: '7 3 2 3',
  longdash: '10 4',
  longdashdot: '10 3 2 3',
};

/** @typedef {{ color: number, symbol?: string, dash?: string }} Mark how a method is drawn */

/**
 * A method's mark.
 * @param {Mark} method
 */
export function symbolIcon(method) {
  return icon(symbolPath(method));
}

/**
 * A method's line with its mark on it.
 * @param {Mark} method
 */
export function lineIcon(method) {
  const dash = method.dash ?? 'solid';
  const rule = svg('path', {
    d: 'M0 8h44',
    stroke: `var(--mv-c${method.color})`,
    'stroke-width': 2.5,
    'stroke-dasharray': DASHES[dash] ?? dash.replaceAll('px', '').replaceAll(',', ' '),
  });
  const mark = symbolPath(method);
  mark.setAttribute('transform', 'translate(14 0)');
  const looks = { viewBox: '0 0 44 16', class: 'mv-swatch', 'aria-hidden': 'true' };
  return svg('svg', looks, rule, mark);
}

/** @param {Mark} method */
function symbolPath(method) {
  const d = SHAPES[method.symbol ?? 'circle'] ?? SHAPES.circle;
  return svg('path', { d, fill: `var(--mv-c${method.color})` });
}

/** @param {...Node} parts */
export function icon(...parts) {
  return svg('svg', { viewBox: '0 0 16 16', class: 'mv-icon', 'aria-hidden': 'true' }, ...parts);
}

// Verdicts as shapes: one square on top of its twin, two that overlap, two apart.
/** @type {Record<string, { kind: string, d: string[] }>} */
const VERDICTS = {
  Copied: { kind: 'copied', d: ['M1.5 1.5h9v9h-9z', 'M5.5 5.5h9v9h-9z'] },
  Close: { kind: 'close', d: ['M1 5h8v8H1z', 'M7 3h8v8H7z'] },
  'No copy found': {
    kind: 'clear',
    d: ['M.8 5h6v6h-6z', 'M15.2 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z'],
  },
};

/** @param {string} word */
export function verdictChip(word) {
  const short = word.split(' among ')[0];
  const { kind, d } = VERDICTS[short] ?? { kind: 'other', d: [] };
  const outline = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 };
  const parts = d.map((path) => svg('path', { d: path, ...outline }));
  if (kind === 'copied') parts[1].setAttribute('fill', 'currentColor');
  const looks = { class: `mv-chip mv-${kind}`, title: word };
  return h('span', looks, parts.length ? icon(...parts) : null, short);
}

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function formatNumber(value, digits = 2) {
  return isMissing(value) ? '–' : value.toFixed(digits);
}

/**
 * Whether nothing was measured.
 * @param {unknown} value
 * @returns {value is null | undefined}
 */
export function isMissing(value) {
  return value === null || value === undefined;
}

/**
 * What follows the caption of a training image that is shown more often than others.
 * @param {number | undefined} times
 */
export function timesShown(times) {
  return times && times > 1 ? `, shown ${times} times` : '';
}

/**
 * The address of a served file, wherever the app is mounted.
 * @param {string} path
 */
export function fileAddress(path) {
  return (window.gradio_config?.root ?? '').replace(/\/$/, '') + path;
}

/**
 * What a method made of the prompt, if it changed it.
 * @param {{ prompt_read?: string | null }} cell
 */
export function readPromptNode(cell) {
  if (!cell.prompt_read) return null;
  return h('div', { class: 'mv-read' }, 'The network read: ', h('q', {}, cell.prompt_read));
}

/**
 * Copies text; the pressed button says so for a while.
 * @param {string} text
 * @param {HTMLElement} pressed
 */
export async function copyText(text, pressed) {
  const before = pressed.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text); // the clipboard API only exists on https and on this machine
  }
  pressed.textContent = 'Copied to clipboard';
  setTimeout(() => {
    pressed.textContent = before;
  }, 1500);
}

/** @param {string} text */
function copyByHand(text) {
  const box = h('textarea', { class: 'mv-away' }, text);
  document.body.append(box);
  box.select();
  document.execCommand('copy');
  box.remove();
}
