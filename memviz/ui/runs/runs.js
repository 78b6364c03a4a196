// The list of runs: searched and filtered here, changed by Python.

import { button, h } from '../shared/dom.js';
import { openTab } from '../shared/tabs.js';
import { EVERY_RUN, findRuns, nameOf, sizeWords } from './find.js';

/**
 * @typedef {import('../views').RunRow} Row
 * @typedef {import('../views').RunsView} View
 * @typedef {import('./find').Search} Search
 */

const SHOWN = 60; // runs at once
const KINDS = [
  ['', 'any verdict'],
  ['copied', 'copied'],
  ['close', 'close'],
  ['none', 'no copy found'],
];
const ORDERS = [
  ['newest', 'newest first'],
  ['oldest', 'oldest first'],
  ['name', 'by name'],
  ['largest', 'largest first'],
];

/** @param {import('../shared/gradio').Context<View>} context */
export function mount({ element, props, watch, trigger }) {
  /** @type {Search} */
  const search = { ...EVERY_RUN };
  /** @type {Set<string>} */
  const chosen = new Set();
  let shown = SHOWN;
  /** @type {string | null} */
  let editing = null;
  const ui = build();

  function build() {
    const models = h('select', { onchange: () => choose('model', models.value) });
    const methods = h('select', { onchange: () => choose('method', methods.value) });
    const tools = h(
      'div',
      { class: 'mvr-tools', role: 'search' },
      field('Search', input('search', 'words', 'words of a prompt, a name or a note'), 'mvr-wide'),
      field('Model', models),
      field('Method', methods),
      field('Verdict', menu('kind', KINDS)),
      field('From', input('date', 'from')),
      field('To', input('date', 'to')),
      field('Order', menu('order', ORDERS)),
      starredBox(),
    );
    const said = h('p', { role: 'status', class: 'mvr-said' });
    const bar = h('div', { class: 'mvr-bar' });
    const undo = h('div', { class: 'mvr-bar' });
    const list = h('ul', { class: 'mvr-list' });
    const more = button('Show more', {
      onclick: () => {
        shown += SHOWN;
        draw();
      },
    });
    const damaged = h('div');
    element.querySelector('.mv-root')?.replaceChildren(tools, said, undo, bar, list, more, damaged);
    return { models, methods, said, undo, bar, list, more, damaged };
  }

  /**
   * @param {string} type
   * @param {'words' | 'from' | 'to'} name
   * @param {string} [placeholder]
   */
  function input(type, name, placeholder) {
    const node = h('input', { type, placeholder, oninput: () => choose(name, node.value) });
    return node;
  }

  /**
   * @param {'kind' | 'order'} name
   * @param {readonly (readonly string[])[]} options
   */
  function menu(name, options) {
    const node = h('select', { onchange: () => choose(name, node.value) });
    node.append(...options.map(([value, text]) => h('option', { value }, text)));
    return node;
  }

  function starredBox() {
    const box = h('input', {
      type: 'checkbox',
      onchange: () => {
        search.starred = box.checked;
        draw();
      },
    });
    return h('label', { class: 'mvr-check' }, box, 'starred only');
  }

  /**
   * @param {'words' | 'model' | 'method' | 'kind' | 'from' | 'to' | 'order'} name
   * @param {string} value
   */
  function choose(name, value) {
    search[name] = value;
    shown = SHOWN;
    draw();
  }

  /** @param {View | null | undefined} view */
  function start(view) {
    if (!view) return;
    fillMenu(ui.models, 'any model', [...new Set(view.runs.map((run) => run.model))]);
    fillMenu(ui.methods, 'any method', [...new Set(view.runs.flatMap((run) => run.methods))]);
    const there = new Set(view.runs.map((run) => run.id));
    for (const id of chosen) if (!there.has(id)) chosen.delete(id);
    editing = null;
    draw();
  }

  function draw() {
    const view = props.value;
    if (!view) return;
    const found = findRuns(view.runs, search);
    const own = view.runs.filter((run) => run.own);
    const share = found.length < view.runs.length ? `${found.length} of ` : '';
    const disk = own.length ? `, yours take ${sizeWords(own)}` : '';
    const count = `${share}${view.runs.length} runs${disk}. ${view.empty}`;
    ui.said.textContent = view.message || count;
    ui.list.replaceChildren(...found.slice(0, shown).map((run) => rowNode(run, view)));
    ui.more.hidden = found.length <= shown;
    drawUndo(view);
    drawBar(view, found);
    ui.damaged.replaceChildren(...damagedNodes(view));
  }

  /** @param {View} view */
  function drawUndo(view) {
    ui.undo.hidden = !view.deleted.length;
    const names = view.deleted.map((run) => `“${run.title}”`).slice(0, 3);
    const others = view.deleted.length > 3 ? ` and ${view.deleted.length - 3} more` : '';
    const words = `Deleted, and gone for good after an hour: ${names.join(', ')}${others}.`;
    const ids = view.deleted.map((run) => run.id);
    const back = button('Undo', { onclick: () => trigger('submit', { do: 'restore', ids }) });
    ui.undo.replaceChildren(h('p', {}, words), back);
  }

  /**
   * What can be done with the chosen runs.
   * @param {View} view
   * @param {readonly Row[]} found
   */
  function drawBar(view, found) {
    const picked = view.runs.filter((run) => chosen.has(run.id));
    const own = picked.filter((run) => run.own).map((run) => run.id);
    const all = button('Choose all', {
      onclick: () => {
        for (const run of found) chosen.add(run.id);
        draw();
      },
    });
    const none = button('Choose none', {
      onclick: () => {
        chosen.clear();
        draw();
      },
    });
    const side = button('Side by side', { onclick: () => showBoth(picked) });
    const zip = button('Download zips', { onclick: () => download(picked) });
    const away = button('Delete', {
      onclick: () => trigger('submit', { do: 'delete', ids: own }),
    });
    side.disabled = picked.length !== 2;
    side.title = 'Choose two runs of the same prompts and seeds';
    away.disabled = !own.length;
    const parts = [h('p', {}, `${picked.length} chosen`), side];
    if (view.home) parts.push(zip, away);
    const tools = picked.length ? [...parts, none] : [];
    ui.bar.replaceChildren(...tools, found.length > picked.length ? all : '');
  }

  /**
   * @param {Row} run
   * @param {View} view
   */
  function rowNode(run, view) {
    const box = h('input', {
      type: 'checkbox',
      'aria-label': `Choose ${nameOf(run)}`,
      onchange: () => {
        if (box.checked) chosen.add(run.id);
        else chosen.delete(run.id);
        draw();
        focusOn(`[data-run="${run.id}"] > input`);
      },
    });
    box.checked = chosen.has(run.id);
    const link = h('a', { href: runAddress(run) }, nameOf(run));
    const star = run.own ? starButton(run) : null;
    const title = h('h3', {}, link, star);
    const note = run.note ? h('p', { class: 'mvr-note' }, run.note) : null;
    const words = h('div', {}, title, h('p', {}, run.result), note, h('small', {}, factWords(run)));
    const images = run.thumbs.map((src) => h('img', { src, alt: '', loading: 'lazy' }));
    const thumbs = h('div', { class: 'mvr-thumbs' }, ...images);
    const looks = { class: 'mvr-run', 'data-run': run.id };
    const edit = editing === run.id ? editForm(run) : null;
    return h('li', looks, box, words, thumbs, actions(run, view), edit);
  }

  /**
   * @param {Row} run
   * @param {View} view
   */
  function actions(run, view) {
    const use = button('Use these settings', {
      onclick: () => {
        openTab(run.sweep ? 'transition' : 'compare-tab');
        trigger('select', { id: run.id });
      },
    });
    const change = button('Name and note', {
      onclick: () => {
        editing = editing === run.id ? null : run.id;
        draw();
        focusOn('.mvr-edit input');
      },
    });
    const files = view.home ? [fileLink(run, 'zip', 'Zip'), fileLink(run, 'html', 'Page')] : [];
    return h('div', { class: 'mvr-acts' }, use, run.own ? change : null, ...files);
  }

  /** @param {Row} run */
  function starButton(run) {
    const looks = {
      class: 'mvr-star',
      'aria-pressed': String(run.starred),
      'aria-label': `Star ${nameOf(run)}`,
      title: 'Starred runs are never cleaned away',
      onclick: () => sendNote({ ...run, starred: !run.starred }),
    };
    return button(run.starred ? '★' : '☆', looks);
  }

  /** @param {Row} run */
  function editForm(run) {
    const name = h('input', { value: run.name, maxlength: 200, placeholder: run.title });
    const note = h('textarea', { rows: 2, maxlength: 2000 }, run.note);
    const save = h('button', { class: 'mv-button' }, 'Save');
    const looks = {
      class: 'mvr-edit',
      /** @param {Event} event */
      onsubmit: (event) => {
        event.preventDefault();
        sendNote({ ...run, name: name.value, note: note.value });
      },
    };
    const fields = [h('label', {}, 'Name', name), h('label', {}, 'Note', note)];
    return h('form', looks, ...fields, h('div', {}, save));
  }

  /** @param {Row} run */
  function sendNote({ id, name, note, starred }) {
    trigger('submit', { do: 'note', id, name, note, starred });
  }

  /** @param {string} selector */
  function focusOn(selector) {
    const node = element.querySelector(selector);
    if (node instanceof HTMLElement) node.focus();
  }

  watch('value', () => start(props.value));
  start(props.value);
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} all
 * @param {readonly string[]} names
 */
function fillMenu(select, all, names) {
  const before = select.value;
  const options = [...names].sort().map((name) => h('option', { value: name }, name));
  select.replaceChildren(h('option', { value: '' }, all), ...options);
  select.value = names.includes(before) ? before : '';
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [wide]
 */
function field(label, control, wide = '') {
  return h('label', { class: `mvr-field ${wide}` }, label, control);
}

/** @param {Row} run */
function runAddress(run) {
  return run.sweep ? `?tab=transition&sweep=${run.id}` : `?run=${run.id}`;
}

/** @param {Row} run */
function factWords(run) {
  const made = run.created.slice(0, 16).replace('T', ' ');
  const others = run.prompts.length > 1 ? ` and ${run.prompts.length - 1} more` : '';
  const prompt = run.prompts[0] === nameOf(run) ? others : `“${run.prompts[0]}”${others}`;
  const pictures = run.pictures === 1 ? '1 picture' : `${run.pictures} pictures`;
  const methods = run.methods.join(', ');
  const facts = [
    prompt,
    made,
    run.model,
    methods,
    `${run.steps} steps`,
    pictures,
    sizeWords([run]),
  ];
  return `${run.own ? '' : 'Example: '}${facts.filter(Boolean).join(' · ')}`;
}

/**
 * @param {Row} run
 * @param {string} kind
 * @param {string} text
 */
function fileLink(run, kind, text) {
  const about = kind === 'zip' ? 'all files and their hashes' : 'opens from disk, with the player';
  const looks = { class: 'mv-button', href: fileHref(run, kind), download: '', title: about };
  return h('a', looks, text);
}

/**
 * Relative, so that it holds wherever the app is mounted.
 * @param {Row} run
 * @param {string} kind
 */
function fileHref(run, kind) {
  return `memviz-bundles/${run.id}.${kind}`;
}

/**
 * One after the other: a browser asks once whether a page may save several files.
 * @param {readonly Row[]} runs
 */
function download(runs) {
  for (const run of runs) h('a', { href: fileHref(run, 'zip'), download: '' }).click();
}

/**
 * The older one before, the newer one after.
 * @param {readonly Row[]} runs
 */
function showBoth(runs) {
  const [before, after] = [...runs].sort((a, b) => (a.created < b.created ? -1 : 1));
  location.assign(`?run=${after.id}&with=${before.id}`);
}

/** @param {View} view */
function damagedNodes(view) {
  if (!view.damaged.length) return [];
  const items = view.damaged.map((reason) => h('li', {}, reason));
  const how = 'memviz doctor --remove takes them away.';
  return [h('h3', {}, 'Damaged runs'), h('ul', {}, ...items), h('p', {}, how)];
}
