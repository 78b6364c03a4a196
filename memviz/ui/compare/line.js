// What else is in line, and the way back for a page that slept while messages came.

import { button, h } from '../shared/dom.js';
import { repeat } from '../shared/lifetime.js';

/**
 * @typedef {import('../views').Waiting} Waiting
 * @typedef {{ token?: string, line?: Waiting[], live?: boolean, waiting?: string }} Told
 */

const PAUSE = 4000; // ms without a message after which one is asked for
const DONE = 'done';

/**
 * @param {AbortSignal} lifetime
 * @param {(event: string, data?: unknown) => void} trigger
 */
export function makeLine(lifetime, trigger) {
  const node = h('section', { class: 'mv-line', 'aria-label': 'In line', hidden: true });
  /** @type {Waiting[]} */
  let others = [];
  let followed = ''; // the comparison under way that is shown
  let heard = Date.now();

  /** Asks for all that is known. */
  const ask = () => {
    heard = Date.now();
    trigger('select', { token: followed });
  };

  /** @param {Told} told */
  const hear = (told) => {
    heard = Date.now();
    if (told.token) followed = told.token;
    else if ('live' in told || told.waiting === '') followed = '';
    if (!told.line) return;
    others = keepEnded(others, told.line, followed);
    draw();
  };

  const draw = () => {
    node.hidden = !others.length;
    node.replaceChildren(h('h3', {}, 'In line'), h('ul', {}, ...others.map(rowNode)));
  };

  /** @param {Waiting} one */
  const rowNode = (one) => {
    const over = one.words === DONE;
    const show = () => {
      if (over) others = others.filter((other) => other !== one);
      trigger('submit', { token: one.token });
    };
    const end = () => trigger('submit', { token: one.token, stop: true });
    const stop = over ? null : button('Stop', { onclick: end, 'aria-label': `Stop ${one.title}` });
    const look = button('Show', { onclick: show, 'aria-label': `Show ${one.title}` });
    return h('li', {}, h('q', {}, one.title), h('span', {}, one.words), look, stop);
  };

  const isWaiting = () => Boolean(followed) || others.some((one) => one.words !== DONE);
  repeat(1000, lifetime, () => {
    if (isWaiting() && !document.hidden && Date.now() - heard > PAUSE) ask();
  });
  const wake = () => {
    if (isWaiting() && !document.hidden) ask();
  };
  document.addEventListener('visibilitychange', wake, { signal: lifetime });
  addEventListener('online', wake, { signal: lifetime });
  return { node, hear, ask };
}

/**
 * The line as it is now, and before it those that came to their end while another was shown.
 * @param {readonly Waiting[]} before
 * @param {readonly Waiting[]} now
 * @param {string} followed
 * @returns {Waiting[]}
 */
export function keepEnded(before, now, followed) {
  const there = new Set([...now.map((one) => one.token), followed]);
  const ended = before.filter((one) => one.run && !there.has(one.token));
  return [...ended.map((one) => ({ ...one, words: DONE })), ...now];
}
