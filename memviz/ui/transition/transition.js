// The Transition tab: one run, its figures, one chosen picture.

import { fileAddress, formatNumber, h, readPromptNode, verdictChip } from '../shared/dom.js';
import { lifetimeOf } from '../shared/lifetime.js';
import { makeRemember } from '../shared/remember.js';
import { makeAttention } from './attention.js';
import { makePictures } from './pictures.js';
import { makeSpread } from './seed_spread.js';
import { makeMap } from './sweep_map.js';
import { makeTradeoff } from './tradeoff.js';
import { makeWhatIf } from './what_if.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').ShownPicture} Picture
 * @typedef {import('../views').Rerun} Rerun
 */

const EMPTY = 'Press Sweep to make one prompt at many transition points, or choose a saved run.';
const ENDING =
  'Bright ending: where the last step looks at the end token. Bright parts of a memorized ' +
  'picture are the copied ones.';

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch, trigger }) {
  const lifetime = lifetimeOf(element);
  /** @type {View} */
  let view = {};
  let selected = 0;
  const actions = {
    select: choose,
    /** @param {number | null} number */
    peek: (number) => showPicture(number ?? selected),
    /** @param {unknown} request */
    rerun: (request) => trigger('submit', request),
  };
  const map = makeMap(lifetime, actions);
  const pictures = makePictures(actions);
  const whatIf = makeWhatIf(lifetime, actions);
  const attention = makeAttention(lifetime);
  const spread = makeSpread(lifetime, actions);
  const tradeoff = makeTradeoff(lifetime);
  const figures = [map, pictures, whatIf, attention, spread, tradeoff].map(({ node }) => node);
  const picture = h('figure', { class: 'mvt-picture', hidden: true });
  const again = h('figure', {
    class: 'mvt-picture mvt-again',
    hidden: true,
    'aria-live': 'polite',
  });
  const looks = { class: 'mvt-side', 'aria-label': 'Chosen picture' };
  const side = h('aside', looks, picture, again);
  const empty = h('p', { class: 'mv-opening' }, EMPTY);
  const prompt = h('p', { class: 'mv-prompt' });
  const column = h('div', { class: 'mvt-figures' }, prompt, ...figures);
  const root = /** @type {Element} */ (element.querySelector('.mv-root'));
  root.classList.add('mvt-root');
  root.replaceChildren(empty, h('div', { class: 'mvt-main' }, column, side));

  /** @param {View | null | undefined} next */
  function draw(next) {
    if (!next) return;
    const { cells = [], sweep } = next;
    if (view.id !== next.id || selected >= cells.length) {
      selected = sweep ? firstChoice(sweep) : 0;
    }
    view = next;
    empty.hidden = cells.length > 0;
    empty.textContent = next.waiting ?? EMPTY;
    side.hidden = !cells.length;
    prompt.replaceChildren(...(next.prompt ? ['Prompt: ', h('q', {}, next.prompt)] : []));
    map.draw(view, selected);
    pictures.draw(view, selected);
    whatIf.draw(view, selected);
    attention.draw(view, selected);
    spread.draw(view);
    tradeoff.draw(view);
    showPicture(selected);
    showAgain(view.again);
    if (view.id && !view.live && element.offsetParent) remember();
  }

  /** @param {number} number */
  function choose(number) {
    selected = number;
    map.select(number);
    pictures.select(number);
    whatIf.select(number);
    attention.draw(view, number);
    showPicture(number);
  }

  /** @param {number} number */
  function showPicture(number) {
    const cell = view.cells?.[number];
    picture.hidden = !cell;
    if (!cell) return;
    const title = `${cell.name}, seed ${cell.seed}`;
    const link = `?run=${view.id}&cell=${number}`;
    picture.replaceChildren(...pictureParts(view.base ?? '', cell, title, link));
  }

  /** @param {Rerun | null | undefined} made */
  function showAgain(made) {
    again.hidden = !made;
    if (!made) return;
    const steps = view.timesteps?.length;
    const taken = `${made.taken} of ${steps} steps were taken from the stored run`;
    const how = made.kept
      ? `${taken}; the result is that of a fresh run.`
      : 'Made afresh, for the stored run kept no latents.';
    const parts = pictureParts(made.base, made, `Re-run: ${made.name}`, `?run=${made.id}`);
    again.replaceChildren(...parts, h('p', { class: 'mv-soft mvt-how' }, how));
  }

  const remember = makeRemember(() => {
    const url = new URL(location.href);
    url.searchParams.set('sweep', String(view.id));
    return url.href;
  });

  watch('value', () => draw(props.value));
  draw(props.value);
}

/**
 * The picture of a sweep to begin with: the best compromise, or else the first there is.
 * @param {NonNullable<View['sweep']>} sweep
 */
export function firstChoice({ cells, values, best }) {
  const row = cells[0] ?? [];
  const chosen = best ? row[values.indexOf(best.value)] : null;
  return chosen ?? row.find((number) => number !== null) ?? 0;
}

/**
 * @param {string} base
 * @param {Picture} cell
 * @param {string} title
 * @param {string} link
 */
function pictureParts(base, cell, title, link) {
  const src = cell.image ? fileAddress(base + cell.image) : cell.preview;
  const alt = `${title}, ${cell.verdict ?? 'not finished'}`;
  const image = src ? h('img', { src, alt }) : h('p', {}, 'Not finished yet.');
  const numbers = [
    `similarity ${formatNumber(cell.similarity)}`,
    `alignment ${formatNumber(cell.alignment)}`,
    `${formatNumber(cell.evaluations, 0)} evaluations`,
  ];
  const caption = h(
    'figcaption',
    {},
    h('strong', {}, title),
    cell.verdict ? verdictChip(cell.verdict) : null,
    h('p', {}, numbers.join(', ')),
    readPromptNode(cell),
    h('a', { href: link }, 'Open this run in Compare'),
    cell.mask ? endingNode(base + cell.mask, title) : null,
  );
  return [image, caption];
}

/**
 * @param {string} path
 * @param {string} title
 */
function endingNode(path, title) {
  const alt = `Bright ending of ${title}`;
  const image = h('img', { src: fileAddress(path), alt, class: 'mvt-ending' });
  return h('p', { class: 'mvt-mask' }, image, h('span', {}, ENDING));
}
