// What the page of every job has: how far it is above, its log and command below, its address.

import { button, copyText, h } from './dom.js';
import { makeRemember } from './remember.js';

/**
 * How far a job is.
 * @param {...Node} more what stands below
 */
export function makeJobHead(...more) {
  const title = h('h2', { class: 'mv-result' });
  const state = h('span', { class: 'mv-job' });
  const words = h('p', { class: 'mv-jobwords', role: 'status' });
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Progress' });
  const facts = h('p', { class: 'mv-soft' });
  const top = h('div', {}, title, state);
  const node = h('header', { class: 'mv-trainhead' }, top, words, bar, facts, ...more);
  return { node, title, state, words, bar, facts };
}

/**
 * What a job printed and the command that does the same, folded.
 * @param {boolean} open
 */
export function makeJobLog(open) {
  const log = h('pre', { class: 'mv-log', tabindex: 0, 'aria-label': 'Log' });
  const command = h('code');
  const copy = button('Copy command', { onclick: () => copyText(command.textContent ?? '', copy) });
  const same = h('div', { class: 'mv-command' }, command, copy);
  const summary = h('summary', {}, 'Log and command');
  const node = h('details', { class: 'mv-details', open }, summary, log, same);
  return { node, log, command };
}

/**
 * A function that puts the id of what is shown into the address, while its tab is open.
 * @param {HTMLElement} element
 * @param {string} name of the parameter
 */
export function makeJobAddress(element, name) {
  let shown = '';
  const change = makeRemember(() => {
    const url = new URL(location.href);
    url.searchParams.set(name, shown);
    return url.href;
  });
  return (/** @type {string} */ id) => {
    shown = id;
    const address = new URLSearchParams(location.search);
    if (address.get(name) !== id && element.offsetParent) change();
  };
}
