// The pictures of a row, the worst copies first, each beside what it is nearest to.

import { fileAddress, formatNumber, h } from '../shared/dom.js';
import { openTab } from '../shared/tabs.js';

/**
 * @typedef {import('../views').EvaluationPictures} View
 * @typedef {import('../views').EvaluationPicture} Picture
 */

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch, trigger }) {
  const title = h('h3', { tabindex: -1 });
  const words = h('p', { class: 'mv-soft' });
  const grid = h('ul', { class: 'mv-worst' });
  const node = h(
    'section',
    { 'aria-label': 'Pictures of a row', hidden: true },
    title,
    words,
    grid,
  );
  element.querySelector('.mv-root')?.replaceChildren(node);
  /** Which row was opened last. */
  let opened = '';

  function draw() {
    const view = props.value;
    const pictures = view?.pictures ?? [];
    node.hidden = !pictures.length;
    if (!view || !pictures.length) {
      opened = '';
      return;
    }
    const { evaluation, row, label, total } = view;
    title.textContent = `${label}: the worst copies first`;
    words.textContent =
      `${pictures.length} of ${total} pictures, each beside the training image it is most like. ` +
      'Press one to make it again under Compare, with all signals.';
    /** @param {Picture} picture */
    const again = ({ place }) => {
      trigger('submit', { evaluation, row, place });
      openTab('compare-tab');
    };
    grid.replaceChildren(...pictures.map((picture) => pictureNode(picture, again)));
    const now = `${evaluation} ${row}`;
    if (now !== opened) {
      node.scrollIntoView({ block: 'nearest' });
      title.focus({ preventScroll: true });
    }
    opened = now;
  }

  watch('value', draw);
  draw();
}

/**
 * @param {Picture} picture
 * @param {(picture: Picture) => void} again
 */
function pictureNode(picture, again) {
  const { src, nearest, prompt, seed, similarity } = picture;
  const made = h('img', { src: fileAddress(src), alt: 'The picture', loading: 'lazy' });
  const match = nearest
    ? h('img', { src: fileAddress(nearest), alt: 'Its nearest training image', loading: 'lazy' })
    : null;
  const score = h('b', {}, formatNumber(similarity));
  const of = seed === null ? '' : `, seed ${seed}`;
  const text = h('span', {}, score, ` ${prompt}${of}`);
  const pair = h('span', { class: 'mv-twins' }, made, match);
  const looks = { type: 'button', class: 'mv-again', onclick: () => again(picture) };
  return h('li', {}, h('button', looks, pair, text));
}
