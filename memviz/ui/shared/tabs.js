// Which tab is open, what the address of the page says of it, and the way back to the one before.

let opened = false; // Gradio opens the first tab itself: that is nobody's choice
let returning = false; // by the browser's Back or Forward

/**
 * The open tab stands in the page's address, so that a link and Back open it again.
 * @param {string} name
 */
export function rememberTab(name) {
  const url = new URL(location.href);
  const before = url.searchParams.get('tab') ?? 'compare';
  url.searchParams.set('tab', name);
  if (!opened) addEventListener('popstate', returnToTab);
  else if (returning || before === name) history.replaceState(history.state, '', url.href);
  else history.pushState(null, '', url.href);
  opened = true;
  returning = false;
}

function returnToTab() {
  const name = new URLSearchParams(location.search).get('tab') ?? 'compare';
  const button = tabButton(name);
  if (!button || button.getAttribute('aria-selected') === 'true') return;
  returning = true;
  button.click();
}

/**
 * A tab is called as it is labeled; on a small screen some stand in a menu.
 * @param {string} name
 * @returns {HTMLElement | undefined}
 */
function tabButton(name) {
  const buttons = document.querySelectorAll('button[role="tab"], .overflow-dropdown button');
  const found = [...buttons].filter((one) => one.textContent?.trim().toLowerCase() === name);
  return /** @type {HTMLElement | undefined} */ (found.find((one) => one.isConnected));
}

/**
 * Opens a tab and hands on what Python asked for.
 * @param {string} name
 * @param {...unknown} inputs
 */
export function openTab(name, ...inputs) {
  (document.getElementById(`${name}-button`) ?? tabButton(name))?.click();
  return inputs;
}

/** A link to a training opens its tab. */
export function openAddressedTraining() {
  const query = new URLSearchParams(location.search);
  if (query.has('job') && !query.has('run')) openTab('train-tab');
  return [];
}
