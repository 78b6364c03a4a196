// An evaluation while it runs and after: how far it is, its plot, its table and its files.

import { button, copyText, fileAddress, h } from '../shared/dom.js';
import { lifetimeOf } from '../shared/lifetime.js';
import { makeRemember } from '../shared/remember.js';
import { makeTable } from './table.js';
import { makeTradeoff } from './tradeoff.js';

/** @typedef {import('../views').EvaluationView} View */

/** @param {import('../shared/gradio').Context<View | { note: string }>} context */
export function mount({ element, props, watch, trigger }) {
  const lifetime = lifetimeOf(element);
  /** @type {View | null} */
  let view = null;
  const table = makeTable(({ evaluation, row }) => trigger('submit', { evaluation, row }));
  const plot = makeTradeoff(lifetime);
  const changeAddress = makeRemember(permalink);
  const ui = build();

  function build() {
    const title = h('h2', { class: 'mv-result' });
    const state = h('span', { class: 'mv-job' });
    const words = h('p', { class: 'mv-jobwords', role: 'status' });
    const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
    const facts = h('p', { class: 'mv-soft' });
    const left = h('ul', { class: 'mv-left' });
    const top = h('div', {}, title, state);
    const head = h('header', { class: 'mv-trainhead' }, top, words, bar, facts, left);
    const hint = h(
      'p',
      { class: 'mv-soft' },
      'A method’s name opens its pictures, the worst copies first.',
    );
    const files = h('div', {
      class: 'mv-evalfiles',
      role: 'group',
      'aria-label': 'Export the table',
    });
    const log = h('pre', { class: 'mv-log', tabindex: 0, 'aria-label': 'Log' });
    const command = h('code');
    const copy = button('Copy command', { onclick: () => copyText(view?.command ?? '', copy) });
    const same = h('div', { class: 'mv-command' }, command, copy);
    const summary = h('summary', {}, 'Log and command');
    const details = h('details', { class: 'mv-details' }, summary, log, same);
    const note = h('p', { class: 'mv-opening', role: 'status' });
    const looks = { class: 'mv-train mvt-root', 'aria-label': 'Evaluation', hidden: true };
    const app = h('section', looks, head, hint, table.node, files, plot.node, details);
    element.querySelector('.mv-root')?.replaceChildren(note, app);
    return { app, note, title, state, words, bar, facts, left, hint, files, details, log, command };
  }

  function draw() {
    const next = props.value;
    const known = next && 'id' in next;
    ui.note.hidden = Boolean(known);
    ui.app.hidden = !known;
    if (next && 'note' in next) ui.note.textContent = next.note;
    if (!known) return;
    view = next;
    drawHead(view);
    const some = view.rows.length > 0;
    table.node.hidden = !some;
    ui.hint.hidden = !view.rows.some((row) => row.opens);
    if (some) table.draw(view);
    plot.draw(view);
    drawEnd(view);
    remember(view);
  }

  /** @param {View} shown */
  function drawHead({ title, state, words, progress, left_out }) {
    ui.title.textContent = title;
    ui.state.textContent = state;
    ui.state.dataset.state = state;
    ui.words.textContent = words;
    ui.bar.hidden = !progress;
    ui.bar.value = progress?.share ?? 0;
    ui.facts.textContent = progress
      ? [progress.words, progress.left].filter(Boolean).join(' · ')
      : '';
    ui.left.replaceChildren(...left_out.map((text) => h('li', {}, text)));
  }

  /** @param {View} shown */
  function drawEnd({ files, log, command }) {
    const links = files.map(([name, path]) =>
      h('a', { href: fileAddress(path), download: true, class: 'mv-button' }, name),
    );
    ui.files.hidden = !links.length;
    ui.files.replaceChildren(...links);
    ui.details.hidden = !command;
    ui.command.textContent = command;
    ui.log.textContent = log.join('\n') || 'Nothing was printed yet.';
  }

  function permalink() {
    const url = new URL(location.href);
    if (view) url.searchParams.set('evaluation', view.id);
    return url.href;
  }

  /** @param {View} shown */
  function remember({ id }) {
    const address = new URLSearchParams(location.search);
    if (address.get('evaluation') !== id && element.offsetParent) changeAddress();
  }

  watch('value', draw);
  draw();
}
