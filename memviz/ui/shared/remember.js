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
