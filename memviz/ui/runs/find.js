// Which runs a search and its filters leave, and in which order.

/**
 * @typedef {import('../views').RunRow} Row
 * @typedef {{
 *   words: string, model: string, method: string, kind: string, from: string, to: string,
 *   starred: boolean, order: string,
 * }} Search empty entries leave all; `from` and `to` are days, as 2026-01-31
 */

/** Leaves every run, the newest first. @type {Readonly<Search>} */
export const EVERY_RUN = {
  words: '',
  model: '',
  method: '',
  kind: '',
  from: '',
  to: '',
  starred: false,
  order: 'newest',
};

/** @type {Record<string, (a: Row, b: Row) => number>} */
const ORDERS = {
  newest: (a, b) => compareText(b.created, a.created),
  oldest: (a, b) => compareText(a.created, b.created),
  name: (a, b) => nameOf(a).localeCompare(nameOf(b)),
  largest: (a, b) => b.bytes - a.bytes,
};

/**
 * @param {string} a
 * @param {string} b
 */
function compareText(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** @param {Row} run */
export function nameOf(run) {
  return run.name || run.title;
}

/**
 * The runs that are looked for, one's own before the examples.
 * @param {readonly Row[]} runs
 * @param {Search} search
 */
export function findRuns(runs, search) {
  const order = ORDERS[search.order] ?? ORDERS.newest;
  const found = runs.filter((run) => isMatch(run, search));
  return found.sort((a, b) => Number(b.own) - Number(a.own) || order(a, b));
}

/**
 * Every word stands somewhere in its name, prompts, note or methods; its day is in the range.
 * @param {Row} run
 * @param {Search} search
 */
function isMatch(run, search) {
  const text = [run.id, run.name, run.title, run.note, run.model, ...run.prompts, ...run.methods];
  const inside = text.join('\n').toLowerCase();
  const day = run.created.slice(0, 10);
  return (
    search.words
      .toLowerCase()
      .split(/\s+/)
      .every((word) => inside.includes(word)) &&
    (!search.model || run.model === search.model) &&
    (!search.method || run.methods.includes(search.method)) &&
    (!search.kind || run.kinds.includes(search.kind)) &&
    (!search.from || day >= search.from) &&
    (!search.to || day <= search.to) &&
    (!search.starred || run.starred)
  );
}

/**
 * What some runs take on the disk, as people say it.
 * @param {readonly Row[]} runs
 */
export function sizeWords(runs) {
  const bytes = runs.reduce((total, run) => total + run.bytes, 0);
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
