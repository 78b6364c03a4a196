import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestMean, sortRows } from '../../memviz/ui/evaluate/table.js';
import { paretoRows } from '../../memviz/ui/evaluate/tradeoff.js';

/** @typedef {import('../../memviz/ui/views').EvaluationRow} Row */

/**
 * @param {number} row
 * @param {number | null} copied
 * @param {number} clipscore
 * @param {Partial<Row>} [more]
 * @returns {Row}
 */
function makeRow(row, copied, clipscore, more) {
  const values = {
    copied: copied === null ? null : { mean: copied },
    clipscore: { mean: clipscore },
  };
  const label = `row ${row}`;
  const rest = { evaluation: 'e', of: '', key: 'cfg', method: 'cfg', pictures: 4, departs: '' };
  return { ...rest, row, label, values, published: false, opens: true, ...more };
}

const COPIED = /** @type {const} */ ({ name: 'copied', about: '', better: 'low' });
const CLIP = /** @type {const} */ ({ name: 'clipscore', about: '', better: 'high' });
const PAPER = makeRow(0, 0.01, 0.9, { published: true, label: 'paper' });
const ROWS = [makeRow(0, 0.9, 0.7), PAPER, makeRow(1, 0.1, 0.6), makeRow(2, null, 0.8)];

test('the best of a column is a measured row, never the paper’s', () => {
  assert.equal(bestMean(ROWS, COPIED), 0.1);
  assert.equal(bestMean(ROWS, CLIP), 0.8);
  assert.equal(bestMean(ROWS, { ...CLIP, better: '' }), null);
  assert.equal(bestMean([ROWS[0], ROWS[0]], COPIED), null);
});

test('sorted rows keep a paper’s row below its method, and what was not measured comes last', () => {
  const names = (/** @type {boolean} */ down) =>
    sortRows(ROWS, { name: 'copied', down }).map(({ label }) => label);
  assert.deepEqual(names(false), ['row 1', 'row 0', 'paper', 'row 2']);
  assert.deepEqual(names(true), ['row 0', 'paper', 'row 1', 'row 2']);
  assert.deepEqual(sortRows(ROWS, null), ROWS);
});

test('the front is what no other row beats in both columns, whichever end is better', () => {
  const rows = [makeRow(0, 0.9, 0.7), makeRow(1, 0.1, 0.6), makeRow(2, 0.5, 0.6)];
  assert.deepEqual(
    paretoRows(rows, COPIED, CLIP).map(({ row }) => row),
    [1, 0],
  );
  assert.deepEqual(
    paretoRows(rows, CLIP, { ...COPIED, better: 'high' }).map(({ row }) => row),
    [0],
  );
});
