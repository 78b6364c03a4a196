// Small helpers: elements, icons, text. Prompts and captions only ever become text nodes.

const SVG = 'http://www.w3.org/2000/svg';

function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Marker shapes as plotly draws them, in a 16 x 16 box.
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
  star: 'm8 1 2 5h5l-4 3.4 1.6 5.1L8 11.4l-4.6 3.1L5 9.4 1 6h5z',
};
const DASHES = { dot: '2 3', dash: '6 4', dashdot: '7 3 2 3', longdash: '10 4', longdashdot: '10 3 2 3' };

function symbol(method, line = false) {
  const colour = `var(--mv-c${method.color})`;
  const mark = svg('path', { d: SHAPES[method.symbol] ?? SHAPES.circle, fill: colour });
  if (!line) return icon(mark);
  const dash = DASHES[method.dash] ?? method.dash.replace('solid', '').replaceAll('px', '').replaceAll(',', ' ');
  const stroke = { stroke: colour, 'stroke-width': 2.5, 'stroke-dasharray': dash };
  mark.setAttribute('transform', 'translate(14 0)');
  const rule = svg('path', { d: 'M0 8h44', ...stroke });
  return svg('svg', { viewBox: '0 0 44 16', class: 'mv-swatch', 'aria-hidden': 'true' }, rule, mark);
}

function icon(...parts) {
  return svg('svg', { viewBox: '0 0 16 16', class: 'mv-icon', 'aria-hidden': 'true' }, ...parts);
}

// Verdicts as shapes: one square on top of its twin, two that overlap, two apart.
const VERDICTS = {
  Copied: { kind: 'copied', d: ['M1.5 1.5h9v9h-9z', 'M5.5 5.5h9v9h-9z'] },
  Close: { kind: 'close', d: ['M1 5h8v8H1z', 'M7 3h8v8H7z'] },
  'No copy found': { kind: 'clear', d: ['M.8 5h6v6h-6z', 'M15.2 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z'] },
};

function chip(word) {
  const short = word.split(' among ')[0];
  const known = VERDICTS[short] ?? { kind: 'other', d: [] };
  const outline = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 };
  const parts = known.d.map((d) => svg('path', { d, ...outline }));
  if (known.kind === 'copied') parts[1].setAttribute('fill', 'currentColor');
  return h('span', { class: `mv-chip mv-${known.kind}`, title: word }, parts.length ? icon(...parts) : null, short);
}

function say(value, digits = 2) {
  return value === null || value === undefined ? '–' : value.toFixed(digits);
}

function address(path) {
  const root = window.gradio_config?.root ?? '';
  return root.replace(/\/$/, '') + path;
}

function who(view, cell) {
  return `${view.methods[cell.method]?.short ?? cell.method}, seed ${cell.seed}`;
}

// What a method made of the prompt.
function readNode(cell) {
  return cell.prompt_read ? h('div', { class: 'mv-read' }, 'The network read: ', h('q', {}, cell.prompt_read)) : null;
}

async function copyText(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text); // the clipboard API only exists on https and on this machine
  }
  button.textContent = 'Copied to clipboard';
  setTimeout(() => (button.textContent = before), 1500);
}

function copyByHand(text) {
  const box = h('textarea', { class: 'mv-away' }, text);
  document.body.append(box);
  box.select();
  document.execCommand('copy');
  box.remove();
}
