import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EVERY_RUN as ALL, findRuns, sizeWords } from '../../memviz/ui/runs/find.js';

/** @param {Record<string, unknown>} changes */
const run = (changes) => ({
  id: '20250101-120000-0123456789abcdef',
  own: true,
  title: 'a fox',
  name: '',
  note: '',
  starred: false,
  prompts: ['a fox'],
  created: '2025-01-01T12:00:00+00:00',
  model: 'demo',
  methods: ['cfg'],
  steps: 50,
  pictures: 1,
  kinds: ['none'],
  result: '',
  bytes: 2_000_000,
  thumbs: [],
  sweep: false,
  ...changes,
});

const RUNS = [
  run({ id: 'fox' }),
  run({ id: 'owl', title: 'an owl', prompts: ['an owl'], created: '2025-02-01T12:00:00+00:00' }),
  run({ id: 'copy', kinds: ['copied', 'none'], methods: ['stp'], note: 'Look again', bytes: 9e6 }),
  run({ id: 'star', starred: true, model: 'sd-1.4', created: '2024-01-01T12:00:00+00:00' }),
  run({ id: 'example', own: false, created: '2026-01-01T12:00:00+00:00' }),
];

/** @param {Record<string, unknown>} search */
const found = (search) => findRuns(RUNS, { ...ALL, ...search }).map(({ id }) => id);

test('every word is looked for in prompts, names, notes and methods', () => {
  assert.deepEqual(found({ words: 'OWL an' }), ['owl']);
  assert.deepEqual(found({ words: 'again stp' }), ['copy']);
  assert.deepEqual(found({ words: 'again owl' }), []);
});

test('filters leave what has all of them', () => {
  assert.deepEqual(found({ model: 'sd-1.4' }), ['star']);
  assert.deepEqual(found({ starred: true }), ['star']);
  assert.deepEqual(found({ method: 'stp', kind: 'copied' }), ['copy']);
  assert.deepEqual(found({ from: '2025-01-15', to: '2025-02-01' }), ['owl']);
});

test('own runs come first, in the order that was chosen', () => {
  assert.deepEqual(found({}), ['owl', 'fox', 'copy', 'star', 'example']);
  assert.equal(found({ order: 'oldest' })[0], 'star');
  assert.equal(found({ order: 'largest' })[0], 'copy');
  assert.equal(found({ order: 'name' }).at(-2), 'owl');
});

test('a size is said as people say it', () => {
  assert.equal(sizeWords(RUNS), '17.0 MB');
  assert.equal(sizeWords([run({ bytes: 2.5e9 })]), '2.5 GB');
});
