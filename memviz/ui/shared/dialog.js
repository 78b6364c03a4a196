// A dialog that shows one of several things, with buttons to the one before and the one after.
// The browser's Back closes it.

import { button, h } from './dom.js';

/**
 * @template Item
 * @param {string} id of its title
 * @param {{
 *   title: (item: Item, place: number, items: readonly Item[]) => string,
 *   content: (item: Item) => Node[],
 *   opened: (item: Item) => void,
 *   closed: () => void,
 * }} actions
 * @param {AbortSignal} lifetime
 */
export function makeDialog(id, actions, lifetime) {
  const body = h('div', { class: 'mv-pairbody' });
  const before = button('Previous');
  const after = button('Next');
  const close = button('Close', { onclick: () => node.close() });
  const title = h('h2', { id, tabindex: -1, autofocus: true });
  const bar = h('div', { class: 'mv-pairbar' }, title, before, after, close);
  const node = h('dialog', { class: 'mv-dialog', 'aria-labelledby': id }, bar, body);
  node.addEventListener('click', (event) => event.target === node && node.close());
  const isOpenInHistory = () => history.state?.dialog === id;
  let leaving = false; // the history goes back by itself, since it was closed otherwise
  node.addEventListener('close', () => {
    if (!isOpenInHistory()) actions.closed();
    else {
      leaving = true;
      history.back();
    }
  });
  const onBack = () => {
    if (leaving) actions.closed();
    else if (node.open && !isOpenInHistory()) node.close();
    leaving = false;
  };
  addEventListener('popstate', onBack, { signal: lifetime });

  /** @type {(items: readonly Item[], place: number) => void} */
  const open = (items, place) => {
    const item = items[place];
    /** @param {number} by */
    const go = (by) => open(items, (place + by + items.length) % items.length);
    before.onclick = () => go(-1);
    after.onclick = () => go(1);
    if (!node.open && !isOpenInHistory()) history.pushState({ dialog: id }, '');
    title.textContent = actions.title(item, place, items);
    body.replaceChildren(...actions.content(item));
    actions.opened(item);
    if (!node.open) node.showModal();
    node.scrollTop = 0;
    body.scrollTop = 0;
  };
  return { node, open };
}
