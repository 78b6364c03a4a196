// The location bar follows what is shown, so that a reload or a link shows it again.

const PAUSE = 150; // ms: browsers refuse hundreds of changes in a few seconds

/**
 * A function that brings the location bar up to date, at once or after the pause.
 * @param {() => string} address asked when it is shown
 */
export function makeRemember(address) {
  let last = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const show = () => {
    last = Date.now();
    history.replaceState(history.state, '', address());
  };
  return () => {
    clearTimeout(timer);
    const early = last + PAUSE - Date.now();
    if (early > 0) timer = setTimeout(show, early);
    else show();
  };
}

/**
 * What this browser was told to keep; nothing where it keeps nothing.
 * @param {string} name
 */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/**
 * Keeps a word in this browser.
 * @param {string} name
 * @param {string} word
 */
export function keep(name, word) {
  try {
    localStorage.setItem(name, word);
  } catch {
    // private windows keep nothing
  }
}
