// An evaluation while it runs and after: how far it is, its plot, its table and its files.

import { fileAddress, h } from '../shared/dom.js';
import { makeJobAddress, makeJobHead, makeJobLog } from '../shared/job_frame.js';
import { lifetimeOf } from '../shared/lifetime.js';
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
  const remember = makeJobAddress(element, 'evaluation');
  const ui = build();

  function build() {
    const left = h('ul', { class: 'mv-left' });
    const head = makeJobHead(left);
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
    const end = makeJobLog(false);
    const note = h('p', { class: 'mv-opening', role: 'status' });
    const looks = { class: 'mv-train mvt-root', 'aria-label': 'Evaluation', hidden: true };
    const app = h('section', looks, head.node, hint, table.node, files, plot.node, end.node);
    element.querySelector('.mv-root')?.replaceChildren(note, app);
    return { ...head, ...end, app, note, left, hint, files, details: end.node };
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
    remember(view.id);
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

  watch('value', draw);
  draw();
}
