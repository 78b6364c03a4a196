// A picture beside its nearest training image: as a card, and at full size.

import {
  factList,
  fileAddress,
  formatNumber,
  h,
  isMissing,
  timesShown,
  verdictChip,
} from '../shared/dom.js';
import {
  captionedPicture,
  differencePicture,
  nextMatches,
  sliderPicture,
} from '../shared/pictures.js';

/**
 * @typedef {import('../views').PairsView} View
 * @typedef {import('../views').NeighbourPair} Pair
 */

/**
 * @param {View} view
 * @param {Pair} pair
 * @param {() => void} open
 */
export function pairCard(view, pair, open) {
  const name = fileName(pair.picture);
  const twins = h(
    'button',
    {
      type: 'button',
      class: 'mv-twins',
      'aria-label': `Compare ${name} with its nearest image`,
      onclick: open,
    },
    lazyPicture(view.base + pair.yours, sideNames(view)[0]),
    lazyPicture(view.base + pair.theirs, sideNames(view)[1]),
  );
  const next = isMissing(pair.next_similarity)
    ? ''
    : `, next ${formatNumber(pair.next_similarity)}`;
  const score = h(
    'p',
    { class: 'mv-score' },
    verdictChip(pair.verdict),
    ' ',
    h('b', {}, formatNumber(pair.similarity)),
    h('span', { class: 'mv-soft' }, next),
  );
  const names = `${name}, nearest #${pair.matches[0].id}`;
  const line = h('p', { class: 'mv-soft mv-names' }, names);
  return h('article', { class: 'mv-cell' }, twins, score, line, captionLines(view, pair));
}

/**
 * @param {View} view
 * @param {Pair} pair
 */
export function widePair(view, pair) {
  const [top, ...rest] = pair.matches;
  const [mine] = sideNames(view);
  const made = { src: fileAddress(view.base + pair.yours), name: mine.toLowerCase() };
  const name = `Training image #${top.id}`;
  const training = { src: fileAddress(view.base + pair.theirs), name };
  const caption = top.caption || fileName(top.path);
  const pictures = h(
    'div',
    { class: 'mv-four' },
    captionedPicture(mine, made.src, pair.prompt || fileName(pair.picture), false),
    captionedPicture(name, training.src, `${caption}${timesShown(top.times)}`, false),
    sliderPicture(made, training, false),
    differencePicture(made.src, training.src, false),
  );
  const others = rest.map((match) => ({
    ...match,
    src: match.picture && fileAddress(view.base + match.picture),
  }));
  return h(
    'section',
    { class: 'mv-wide' },
    h('p', {}, verdictChip(pair.verdict), ` ${pair.reason}`),
    pictures,
    pair.prompt ? captionLines(view, pair) : null,
    factList(pairFacts(view, pair)),
    nextMatches(others, false),
  );
}

/**
 * @param {View} view
 * @param {Pair} pair
 * @returns {[string, string | null][]}
 */
function pairFacts(view, pair) {
  const [agree, of] = pair.seeds_agree;
  const more = view.all_above || pair.copies < pair.matches.length ? '' : ' or more';
  const { next_similarity: next, caption_overlap: overlap } = pair;
  const gap = 'a wide gap means a copy of this one image, not a common motif';
  const copies = `${pair.copies}${more} training images are at or above the threshold`;
  return [
    ['Similarity', `${formatNumber(pair.similarity, 3)} (1 = the same picture)`],
    ['Next match', isMissing(next) ? null : `${formatNumber(next, 3)}: ${gap}`],
    ['Copies', pair.copies > 1 ? copies : null],
    ['Seeds', of > 1 ? `${agree} of ${of} pictures of this prompt copy this image` : null],
    [
      'Captions',
      isMissing(overlap) ? null : `${Math.round(100 * overlap)} % of their words are shared`,
    ],
    ['File', pair.picture],
  ];
}

/**
 * How the two pictures of a pair are called.
 * @param {View} view
 */
function sideNames(view) {
  return view.within ? ['This image', 'Its nearest other'] : ['Yours', 'Theirs'];
}

/**
 * @param {string} path
 * @param {string} alt
 */
export function lazyPicture(path, alt) {
  return h('img', { src: fileAddress(path), alt, loading: 'lazy' });
}

/**
 * @param {View} view
 * @param {Pair} pair
 */
function captionLines(view, pair) {
  const texts = [pair.prompt, pair.matches[0].caption];
  const lines = sideNames(view).map((name, i) => {
    if (!texts[i]) return null;
    const who = h('span', { class: 'mv-soft' }, `${name}: `);
    return h('p', {}, who, markedText(texts[i], pair.shared));
  });
  return h('div', { class: 'mv-captions' }, ...lines);
}

/**
 * Captions are text: only the marks are elements.
 * @param {string} text
 * @param {string[]} words in lower case
 */
function markedText(text, words) {
  const parts = text
    .split(/([\p{L}\p{N}_]+)/u)
    .map((part) => (words.includes(part.toLowerCase()) ? h('mark', {}, part) : part));
  return h('span', {}, ...parts);
}

/** @param {string} path */
export function fileName(path) {
  return path.split(/[\\/]/).pop() ?? path;
}
