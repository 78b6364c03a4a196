// The location bar follows what is shown, so that a reload or a link shows it again.

const PAUSE = 150; // ms: browsers refuse hundreds of changes in a few seconds

/**
 * A function that brings the location bar up to date soon; `address` is asked for it only then.
 * @param {() => string} address
 */
export function makeRemember(address) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(history.state, '', address()), PAUSE);
  };
}
