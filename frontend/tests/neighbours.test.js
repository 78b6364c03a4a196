import assert from 'node:assert/strict';
import { test } from 'node:test';

import { choiceAddress, PLAIN, readChoice } from '../../memviz/ui/neighbours/address.js';
import { firstTenth } from '../../memviz/ui/neighbours/histogram.js';

test('what an address says of a search is read again', () => {
  const choice = { order: 'By name', verdict: 'Close', least: 0.5, page: 2, pair: 7 };
  const address = choiceAddress('https://a.b/?__theme=dark', 'one', choice);
  assert.match(address, /__theme=dark/);
  assert.match(address, /page=3/, 'people count pages from 1');
  assert.deepEqual(readChoice(new URL(address).search, 'one'), choice);
});

test('an address leaves out what is plain, and what it said before', () => {
  const address = choiceAddress('https://a.b/?order=By+name&pair=3', 'one', { ...PLAIN });
  assert.equal(address, 'https://a.b/?tab=neighbours&search=one');
});

test('the address of another search says nothing of this one', () => {
  assert.deepEqual(readChoice('?search=other&page=4', 'one'), PLAIN);
  assert.deepEqual(readChoice('?page=4', null), PLAIN);
  assert.deepEqual(readChoice('?search=one&page=nonsense', 'one'), PLAIN);
});

test('the histogram begins at the tenth below the first bar and the marks', () => {
  const marks = { close: 0.6, copied: 0.8 };
  const bins = (/** @type {number} */ first) =>
    Array.from({ length: 100 }, (_, i) => +(i === first));
  const none = bins(-1);
  assert.equal(firstTenth({ histogram: { pictures: none, background: bins(47) }, marks }), 0.4);
  assert.equal(firstTenth({ histogram: { pictures: bins(12), background: bins(47) }, marks }), 0.1);
  assert.equal(firstTenth({ histogram: { pictures: none, background: none }, marks }), 0.6);
});
