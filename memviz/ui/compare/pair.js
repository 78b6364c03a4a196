// The pair view: a generated picture beside its nearest training image.

import { makeDialog } from '../shared/dialog.js';
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
import { isTiny, methodOf } from './names.js';

/**
 * @typedef {import('../views').CompareView} View
 * @typedef {import('../views').CompareCell} Cell
 */

/**
 * @param {{ opened: (cell: number) => void, closed: () => void }} actions
 * @param {AbortSignal} lifetime
 */
export function makePair(actions, lifetime) {
  /** @type {View} */
  let shown;
  const dialog = makeDialog(
    'mv-pairtitle',
    {
      title: (/** @type {Cell} */ cell) =>
        `${methodOf(shown, cell)?.label ?? cell.method}, seed ${cell.seed}`,
      content: (cell) => pairParts(shown, cell),
      opened: (cell) => actions.opened(cell.cell),
      closed: actions.closed,
    },
    lifetime,
  );
  /**
   * Opens a cell's picture, if it is finished.
   * @param {View} view
   * @param {number} number
   */
  const open = (view, number) => {
    const ready = view.cells.filter((cell) => cell.image && cell.state === 'done');
    const place = ready.findIndex((cell) => cell.cell === number);
    shown = view;
    if (place >= 0) dialog.open(ready, place);
  };
  return { node: dialog.node, open };
}

/**
 * @param {View} view
 * @param {Cell} cell
 */
function pairParts(view, cell) {
  const made = fileAddress(view.base + cell.image);
  const tiny = isTiny(view);
  if (!cell.match) {
    const none = h('p', {}, 'This run was made without a search for training images.');
    return [none, captionedPicture('Generated', made, cell.prompt, tiny)];
  }
  const training = fileAddress(view.base + cell.match.image);
  const { id, caption, times } = cell.match;
  const name = `Training image #${id}`;
  const pictures = h(
    'div',
    { class: 'mv-four' },
    captionedPicture('Generated', made, `from “${cell.prompt}”`, tiny),
    captionedPicture(name, training, `captioned “${caption}”${timesShown(times)}`, tiny),
    sliderPicture({ src: made, name: 'generated' }, { src: training, name }, tiny),
    differencePicture(made, training, tiny),
  );
  const rest = (cell.matches ?? [])
    .filter((match) => match.id !== cell.match?.id)
    .map((match) => ({ ...match, src: fileAddress(view.base + match.image) }));
  return [
    verdictNode(cell),
    pictures,
    nextMatches(rest, tiny) ?? h('div'),
    numbersNode(view, cell),
  ];
}

/** @param {Cell} cell */
function verdictNode(cell) {
  const chip = cell.verdict ? verdictChip(cell.verdict) : null;
  const line = h('p', { class: 'mv-pairverdict' }, chip, ` ${cell.reason ?? ''}`);
  const signal = cell.prompt_signal;
  if (!signal) return line;
  const word = h('b', {}, `Prompt: ${signal.word.toLowerCase()}. `);
  return h('div', {}, line, h('p', { class: 'mv-soft' }, word, signal.reason ?? ''));
}

/**
 * @param {View} view
 * @param {Cell} cell
 */
function numbersNode(view, cell) {
  const list = factList([
    ['Method', cell.spec],
    ['Guidance', cell.where],
    ['Similarity', `${formatNumber(cell.similarity, 3)} (1 = the same picture)`],
    ['Prompt alignment', isMissing(cell.alignment) ? null : formatNumber(cell.alignment, 3)],
    ['Marks', marksText(view.thresholds)],
  ]);
  return h('section', {}, h('h3', {}, 'Numbers'), list);
}

/** @param {View['thresholds']} marks */
function marksText(marks) {
  if (!marks.copied) return null;
  const source = marks.source ? ` (${marks.source})` : '';
  return `copied from ${marks.copied}, close from ${marks.close}${source}`;
}
