// The Neighbours tab: pairs or groups of one search, all of it in the browser.

import { saveCsv } from '../shared/csv.js';
import { makeDialog } from '../shared/dialog.js';
import {
  button,
  copyText,
  factList,
  fileAddress,
  h,
  timesShown,
  verdictChip,
} from '../shared/dom.js';
import { lifetimeOf } from '../shared/lifetime.js';
import { captionedPicture } from '../shared/pictures.js';
import { makeRemember } from '../shared/remember.js';
import { choiceAddress, PLAIN, readChoice } from './address.js';
import { histogramFigure } from './histogram.js';
import { fileName, lazyPicture, pairCard, widePair } from './pair.js';

/**
 * @typedef {import('../views').NeighboursView} View
 * @typedef {import('../views').PairsView} PairsView
 * @typedef {import('../views').GroupsView} GroupsView
 * @typedef {import('../views').NeighbourPair} Pair
 * @typedef {import('./address.js').Choice} Choice
 */

const PER_PAGE = 12;
/** @type {Record<string, (a: Pair, b: Pair) => number>} */
const SORTS = {
  'Most alike first': (a, b) => b.similarity - a.similarity,
  'Least alike first': (a, b) => a.similarity - b.similarity,
  'Largest lead over the next': (a, b) => lead(b) - lead(a),
  'By name': (a, b) =>
    fileName(a.picture).localeCompare(fileName(b.picture), undefined, { numeric: true }),
};

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch, trigger }) {
  const lifetime = lifetimeOf(element);
  const root = /** @type {Element} */ (element.querySelector('.mv-root'));
  /** @type {View | null | undefined} */
  let view;
  /** @type {Choice} */
  let choice = { ...PLAIN };

  const permalink = () =>
    view?.kind && view.id ? choiceAddress(location.href, view.id, choice) : location.href;
  const changeAddress = makeRemember(permalink);
  const remember = () => {
    if (view?.kind && view.id && element.offsetParent) changeAddress();
  };
  /** @param {number | null} pair */
  const rememberPair = (pair) => {
    choice.pair = pair;
    remember();
  };
  const dialog = makeDialog(
    'mv-neartitle',
    {
      title: (/** @type {Pair} */ pair, place, pairs) =>
        `${fileName(pair.picture)}, ${place + 1} of ${pairs.length}`,
      content: (pair) => (view?.kind === 'pairs' ? [widePair(view, pair)] : []),
      opened: (pair) => rememberPair(pair.number),
      closed: () => rememberPair(null),
    },
    lifetime,
  );
  const body = h('div', { class: 'mv-neighbours' });
  root.replaceChildren(body, dialog.node);
  // Small pictures are enlarged with hard pixels, as they are.
  const sharpen = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLImageElement) {
      target.classList.toggle('mv-crisp', target.naturalWidth <= 96);
    }
  };
  root.addEventListener('load', sharpen, true);

  function draw() {
    const next = props.value;
    if (!next || next === view) return;
    view = next;
    if (!view.kind) {
      body.replaceChildren(...emptyParts(view, () => trigger('submit', {})));
      return;
    }
    const fresh = new URLSearchParams(location.search).get('search') !== view.id;
    choice = readChoice(location.search, view.id);
    if (!(choice.order in SORTS)) choice.order = PLAIN.order;
    const parts = view.kind === 'groups' ? groupsParts(view) : pairsParts(view);
    body.replaceChildren(header(view), ...parts);
    if (view.kind === 'pairs') {
      const pairs = chosenPairs(view, choice);
      const place = pairs.findIndex((pair) => pair.number === choice.pair);
      if (place >= 0) dialog.open(pairs, place);
    }
    if (fresh) reveal();
    remember();
  }

  // On a small screen the result of a search would stand out of sight.
  function reveal() {
    if (body.getBoundingClientRect().top > 0.8 * innerHeight) {
      body.scrollIntoView({ block: 'start' });
    }
  }

  /** @param {PairsView | GroupsView} shown */
  function header({ id, headline, facts, note }) {
    const title = h('h2', { class: 'mv-result', 'aria-live': 'polite' }, headline);
    const more = note ? h('p', {}, note) : null;
    const about = h('div', {}, title, h('p', { class: 'mv-soft' }, facts), more);
    const copy = button('Copy link', { onclick: () => copyText(permalink(), copy) });
    return h('header', { class: 'mv-head' }, about, id ? copy : null);
  }

  // ---- pairs -------------------------------------------------------------------------------

  /** @param {PairsView} shown */
  function pairsParts(shown) {
    const list = h('div', { class: 'mv-pairs' });
    const pager = h('nav', { class: 'mv-pager', 'aria-label': 'Pages' });
    const alone = shown.pairs.length === 1;
    const update = () => {
      const pairs = chosenPairs(shown, choice);
      /** @type {(pair: Pair, place: number) => Node} */
      const make = (pair, place) =>
        alone ? widePair(shown, pair) : pairCard(shown, pair, () => dialog.open(pairs, place));
      turnPage(pairs, make, list, pager, update, 'pairs');
      if (!pairs.length) {
        list.replaceChildren(h('p', {}, 'No pair is left: lower the least similarity.'));
      }
      if (alone) pager.replaceChildren();
    };
    const parts = [histogramFigure(shown), toolbar(shown, update), list, pager, details(shown)];
    update();
    return parts;
  }

  /**
   * @param {PairsView} shown
   * @param {() => void} update
   */
  function toolbar(shown, update) {
    /** @param {Partial<Choice>} part */
    const change = (part) => {
      choice = { ...choice, ...part, page: 0 };
      update();
      remember();
    };
    const kinds = ['all', ...new Set(shown.pairs.map((pair) => shortVerdict(pair)))];
    if (!kinds.includes(choice.verdict)) choice.verdict = 'all';
    const value = h('output', {}, choice.least.toFixed(2));
    const range = h('input', {
      type: 'range',
      min: 0,
      max: 1,
      step: 0.01,
      value: choice.least,
      'aria-label': 'Least similarity shown',
      oninput: () => {
        value.textContent = Number(range.value).toFixed(2);
        change({ least: Number(range.value) });
      },
    });
    const controls = [
      menu('Order', Object.keys(SORTS), choice.order, (order) => change({ order })),
      menu('Verdict', kinds, choice.verdict, (verdict) => change({ verdict })),
      h('label', { class: 'mv-least' }, 'Similarity from ', value, range),
    ];
    const save = () => saveCsv('pairs.csv', pairRows(chosenPairs(shown, choice)));
    const many = shown.pairs.length > 1;
    return h('div', { class: 'mv-tools' }, ...(many ? controls : []), fileLinks(shown, save));
  }

  /**
   * One page of many things, and the buttons to the others.
   * @template Thing
   * @param {readonly Thing[]} things
   * @param {(thing: Thing, place: number) => Node} make
   * @param {HTMLElement} list
   * @param {HTMLElement} pager
   * @param {() => void} update
   * @param {string} name
   */
  function turnPage(things, make, list, pager, update, name) {
    const pages = Math.max(1, Math.ceil(things.length / PER_PAGE));
    const page = Math.min(choice.page, pages - 1);
    choice.page = page;
    const start = page * PER_PAGE;
    const shown = things.slice(start, start + PER_PAGE);
    list.replaceChildren(...shown.map((thing, i) => make(thing, start + i)));
    /** @param {number} by */
    const step = (by) => () => {
      choice.page += by;
      update();
      remember();
      list.scrollIntoView({ block: 'start' });
    };
    const words = `${things.length} ${name}, page ${page + 1} of ${pages}`;
    const where = h('span', { role: 'status' }, words);
    const before = button('Previous', { disabled: page === 0, onclick: step(-1) });
    const after = button('Next', { disabled: page + 1 >= pages, onclick: step(1) });
    pager.replaceChildren(...(pages > 1 ? [before, where, after] : [where]));
  }

  // ---- groups ------------------------------------------------------------------------------

  /** @param {GroupsView} shown */
  function groupsParts(shown) {
    if (!shown.shown.length) return [];
    const list = h('ul', { class: 'mv-groups' });
    const pager = h('nav', { class: 'mv-pager', 'aria-label': 'Pages' });
    /** @param {GroupsView['shown'][number]} group */
    const make = (group) => groupNode(shown, group);
    const update = () => turnPage(shown.shown, make, list, pager, update, 'groups');
    update();
    const save = () => saveCsv('duplicates.csv', groupRows(shown));
    return [h('div', { class: 'mv-tools' }, fileLinks(shown, save)), list, pager];
  }

  watch('value', draw);
  draw();
}

/**
 * Before a search: a worked case, and a button that makes it.
 * @param {import('../views').EmptyNeighbours} view
 * @param {() => void} onclick
 */
function emptyParts({ note, example }, onclick) {
  if (!example) return [h('p', { class: 'mv-opening' }, note)];
  const { yours, theirs, number, prompt, caption, similarity, verdict, reason } = example;
  const made = captionedPicture('Generated', fileAddress(yours), `from “${prompt}”`, true);
  const name = `Training image #${number}`;
  const training = captionedPicture(name, fileAddress(theirs), `captioned “${caption}”`, true);
  const score = h('p', {}, verdictChip(verdict), ` Similarity ${similarity.toFixed(2)}. ${reason}`);
  const look = button('Look this picture up', { onclick });
  const words = h('div', { class: 'mv-worked' }, h('h3', {}, note), score, look);
  return [
    h('section', { class: 'mv-case' }, h('div', { class: 'mv-four' }, made, training, words)),
  ];
}

/**
 * The pairs that are shown, in their order.
 * @param {PairsView} view
 * @param {Choice} choice
 */
export function chosenPairs(view, { verdict, least, order }) {
  return view.pairs
    .filter((pair) => pair.similarity >= least || least === 0)
    .filter((pair) => verdict === 'all' || shortVerdict(pair) === verdict)
    .sort(SORTS[order]);
}

/** @param {Pair} pair */
function shortVerdict(pair) {
  return pair.verdict.split(' among ')[0];
}

/**
 * @param {PairsView | GroupsView} view
 * @param {() => void} onclick saves what is shown
 */
function fileLinks(view, onclick) {
  const links = Object.entries(view.files).map(([name, path]) => {
    const href = fileAddress(view.base + path);
    return h('a', { class: 'mv-button', href, target: '_blank', rel: 'noopener' }, name);
  });
  return h('span', { class: 'mv-files' }, button('Save as CSV', { onclick }), ...links);
}

/**
 * @param {string} label
 * @param {string[]} options
 * @param {string} chosen
 * @param {(value: string) => void} change
 */
function menu(label, options, chosen, change) {
  const items = options.map((value) => h('option', { value, selected: value === chosen }, value));
  const node = h('select', { onchange: () => change(node.value) }, ...items);
  return h('label', {}, `${label} `, node);
}

/**
 * @param {GroupsView} view
 * @param {GroupsView['shown'][number]} group
 */
function groupNode(view, group) {
  const pictures = group.members.map(({ id, caption, picture, times }) => {
    const image = lazyPicture(view.base + picture, '');
    return h('figure', {}, image, h('figcaption', {}, `#${id} ${caption}${timesShown(times)}`));
  });
  const members = h('div', { class: 'mv-members' }, ...pictures);
  return h('li', { class: 'mv-cell' }, h('h3', {}, `${group.count} times`), members);
}

/** @param {PairsView} view */
function details(view) {
  const unread = view.unreadable.map((row) => h('li', {}, `${row.picture}: ${row.problem}`));
  const missing = unread.length ? [h('h3', {}, 'Not read'), h('ul', {}, ...unread)] : [];
  const summary = h('summary', {}, 'How these scores were made');
  return h('details', { class: 'mv-details' }, summary, factList(view.details), ...missing);
}

/** @param {Pair[]} pairs */
function pairRows(pairs) {
  const head = ['picture', 'prompt', 'verdict', 'similarity', 'next_similarity'];
  const rows = pairs.map((pair) => {
    const [{ id, caption, path }] = pair.matches;
    const { picture, prompt, verdict, similarity, next_similarity: next } = pair;
    return [picture, prompt, verdict, similarity, next, id, caption, path];
  });
  return [[...head, 'id', 'caption', 'path'], ...rows];
}

/** @param {GroupsView} view */
function groupRows(view) {
  const rows = view.shown.flatMap(({ count, members }, i) =>
    members.map(({ id, caption }) => [i + 1, count, id, caption]),
  );
  return [['group', 'times', 'id', 'caption'], ...rows];
}

/** @param {Pair} pair */
function lead(pair) {
  return pair.similarity - (pair.next_similarity ?? 0);
}
