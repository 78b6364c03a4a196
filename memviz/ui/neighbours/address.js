// The address of a search: how it is sorted and filtered, and the pair that is open in it.

/**
 * @typedef {{ order: string, verdict: string, least: number, page: number, pair: number | null }}
 *   Choice
 */

/** @type {Readonly<Choice>} */
export const PLAIN = { order: 'Most alike first', verdict: 'all', least: 0, page: 0, pair: null };

/**
 * What an address says of a search, in place of what it leaves out.
 * @param {string} query such as `location.search`
 * @param {string | null | undefined} id of the search
 * @returns {Choice}
 */
export function readChoice(query, id) {
  const given = new URLSearchParams(query);
  if (!id || given.get('search') !== id) return { ...PLAIN };
  /** @param {string} name */
  const number = (name) => Number(given.get(name)) || 0;
  return {
    order: given.get('order') ?? PLAIN.order,
    verdict: given.get('verdict') ?? PLAIN.verdict,
    least: number('least'),
    page: Math.max(0, number('page') - 1),
    pair: given.has('pair') ? number('pair') : null,
  };
}

/**
 * The address that says it; what is plain is left out.
 * @param {string} address such as `location.href`
 * @param {string} id of the search
 * @param {Choice} choice
 */
export function choiceAddress(address, id, { order, verdict, least, page, pair }) {
  const url = new URL(address);
  /** @type {[string, string | number | null, boolean][]} */
  const parts = [
    ['order', order, order !== PLAIN.order],
    ['verdict', verdict, verdict !== PLAIN.verdict],
    ['least', least, least !== PLAIN.least],
    ['page', page + 1, page !== PLAIN.page],
    ['pair', pair, pair !== null],
    ['tab', 'neighbours', true],
    ['search', id, true],
  ];
  for (const [name, value, wanted] of parts) {
    if (wanted) url.searchParams.set(name, String(value));
    else url.searchParams.delete(name);
  }
  return url.href;
}
