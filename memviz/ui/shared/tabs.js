// Which tab is open, and what the address of the page says of it.

let opened = false; // Gradio opens the first tab itself: that is nobody's choice

/**
 * The open tab stands in the page's address, so that a link opens it again.
 * @param {string} name
 */
export function rememberTab(name) {
  const url = new URL(location.href);
  url.searchParams.set('tab', name);
  if (opened) history.replaceState(history.state, '', url.href);
  opened = true;
}

/**
 * Opens a tab and hands on what Python asked for.
 * @param {string} name
 * @param {...unknown} inputs
 */
export function openTab(name, ...inputs) {
  document.getElementById(`${name}-button`)?.click();
  return inputs;
}

/** A link to a training opens its tab. */
export function openAddressedTraining() {
  const query = new URLSearchParams(location.search);
  if (query.has('job') && !query.has('run')) openTab('train-tab');
  return [];
}
