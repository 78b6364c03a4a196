// A picture beside a training image, one over the other, and their difference.

import { h } from './dom.js';

const BRIGHTER = 3; // times, so that small differences are seen

/**
 * A picture with what it is and what it shows.
 * @param {string} label
 * @param {string} src
 * @param {string} caption
 * @param {boolean} tiny whether its pixels are shown hard
 */
export function captionedPicture(label, src, caption, tiny) {
  const image = h('img', { src, alt: `${label}: ${caption}`, class: pixelClass(tiny) });
  const text = h('figcaption', {}, h('b', {}, label), h('span', {}, caption));
  return h('figure', {}, h('div', { class: 'mv-square' }, image), text);
}

/** @param {boolean} tiny */
export function pixelClass(tiny) {
  return tiny ? 'mv-crisp' : null;
}

/**
 * Left of the handle is the made picture, right of it the training image.
 * @param {{ src: string, name: string }} made
 * @param {{ src: string, name: string }} training
 * @param {boolean} tiny
 */
export function sliderPicture(made, training, tiny) {
  const top = h('img', { src: made.src, alt: '', class: `mv-over ${pixelClass(tiny) ?? ''}` });
  const under = h('img', { src: training.src, alt: '', class: pixelClass(tiny) });
  const edge = h('div', { class: 'mv-edge' });
  const label = `Share of ${made.name} shown over ${training.name.toLowerCase()}`;
  const range = h('input', { type: 'range', min: 0, max: 100, value: 50, 'aria-label': label });
  const move = () => {
    top.style.clipPath = `inset(0 ${100 - Number(range.value)}% 0 0)`;
    edge.style.left = `${range.value}%`;
    range.setAttribute('aria-valuetext', `${range.value} % ${made.name}`);
  };
  range.addEventListener('input', move);
  move();
  const box = h('div', { class: 'mv-square mv-slide' }, under, top, edge, range);
  const text = `Drag: ${made.name} on the left, ${training.name.toLowerCase()} on the right`;
  const caption = h('figcaption', {}, h('b', {}, 'One over the other'), h('span', {}, text));
  return h('figure', {}, box, caption);
}

/**
 * @param {string} made
 * @param {string} training
 * @param {boolean} tiny
 */
export function differencePicture(made, training, tiny) {
  const looks = { class: pixelClass(tiny), role: 'img', 'aria-label': 'Difference of the two' };
  const canvas = h('canvas', looks);
  const text = h('span', {}, 'black where they agree');
  Promise.all([decodedImage(made), decodedImage(training)]).then(([one, two]) => {
    const mean = paintDifference(canvas, one, two).toFixed(0);
    const how = `black where they agree, shown ${BRIGHTER} times brighter`;
    text.textContent = `${mean} of 255 on average; ${how}`;
  });
  const caption = h('figcaption', {}, h('b', {}, 'Difference'), text);
  return h('figure', {}, h('div', { class: 'mv-square' }, canvas), caption);
}

/** @param {string} src */
async function decodedImage(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

/**
 * Paints the difference; its mean, of 255.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} one sets the size, to which the other is brought
 * @param {HTMLImageElement} two
 */
function paintDifference(canvas, one, two) {
  const [width, height] = [one.naturalWidth, one.naturalHeight];
  const [gaps, others] = [pixelsOf(one, width, height), pixelsOf(two, width, height)];
  let total = 0;
  for (let i = 0; i < gaps.data.length; i += 1) {
    if (i % 4 === 3) continue; // opacity
    const gap = Math.abs(gaps.data[i] - others.data[i]);
    gaps.data[i] = gap * BRIGHTER;
    total += gap;
  }
  canvas.width = width;
  canvas.height = height;
  brush(canvas).putImageData(gaps, 0, 0);
  return total / (width * height * 3);
}

/**
 * @param {HTMLImageElement} image
 * @param {number} width
 * @param {number} height
 */
function pixelsOf(image, width, height) {
  const paint = brush(h('canvas', { width, height }));
  paint.drawImage(image, 0, 0, width, height);
  return paint.getImageData(0, 0, width, height);
}

/** @param {HTMLCanvasElement} canvas */
function brush(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (
    canvas.getContext('2d', { willReadFrequently: true })
  );
}

/**
 * The training images that come after the nearest one.
 * @param {readonly { src: string | null, similarity: number, id: number | string, caption: string }[]} matches
 * @param {boolean} tiny
 */
export function nextMatches(matches, tiny) {
  if (!matches.length) return null;
  const items = matches.map(({ src, similarity, id, caption }) => {
    const image = src && h('img', { src, alt: '', class: pixelClass(tiny), loading: 'lazy' });
    const score = h('b', {}, similarity.toFixed(2));
    return h('li', {}, image, score, h('span', {}, `#${id} ${caption}`));
  });
  const list = h('ul', { class: 'mv-next' }, ...items);
  return h('section', {}, h('h3', {}, 'Next nearest training images'), list);
}
