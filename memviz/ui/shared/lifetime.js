// How long a component stands in the page; observers, timers and listeners end with it.

/** @type {Map<Element, AbortController>} */
const standing = new Map();
/** @type {MutationObserver | undefined} */
let watcher;

/**
 * A signal that aborts once the element has left the page.
 * @param {Element} element
 */
export function lifetimeOf(element) {
  const controller = new AbortController();
  standing.set(element, controller);
  watcher ??= new MutationObserver(endGone);
  watcher.observe(document.body, { childList: true, subtree: true });
  return controller.signal;
}

function endGone() {
  for (const [element, controller] of standing) {
    if (element.isConnected) continue;
    standing.delete(element);
    controller.abort();
  }
  if (!standing.size) watcher?.disconnect();
}

/**
 * Calls `act` at once with each later change of the element's size or of the page's theme.
 * @param {Element} element
 * @param {AbortSignal} lifetime
 * @param {() => void} act
 */
export function onLookChange(element, lifetime, act) {
  const size = new ResizeObserver(act);
  size.observe(element);
  const theme = new MutationObserver(act);
  theme.observe(document.body, { attributeFilter: ['class'] });
  lifetime.addEventListener('abort', () => {
    size.disconnect();
    theme.disconnect();
  });
}

/**
 * Calls `act` every so often.
 * @param {number} milliseconds
 * @param {AbortSignal} lifetime
 * @param {() => void} act
 */
export function repeat(milliseconds, lifetime, act) {
  const timer = setInterval(act, milliseconds);
  lifetime.addEventListener('abort', () => clearInterval(timer));
}
