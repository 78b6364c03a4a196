import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dependenceWords } from '../../memviz/ui/transition/seed_spread.js';
import { columnBetween } from '../../memviz/ui/transition/sweep_map.js';
import { endsOf, nameOffsets, paretoFront } from '../../memviz/ui/transition/tradeoff.js';
import { firstChoice } from '../../memviz/ui/transition/transition.js';

/**
 * @param {string} name
 * @param {number} similarity
 * @param {number} alignment
 * @param {number} evaluations
 */
function point(name, similarity, alignment, evaluations) {
  const interval = (/** @type {number} */ mean) => ({ mean, low: mean - 0.02, high: mean + 0.01 });
  return {
    name,
    method: name,
    similarity: interval(similarity),
    alignment: interval(alignment),
    evaluations: interval(evaluations),
  };
}

test('a timestep stands between the columns around it', () => {
  assert.equal(columnBetween([200, 500, 800], 500), 1);
  assert.equal(columnBetween([200, 500, 800], 350), 0.5);
  assert.equal(columnBetween([200, 500, 800], 200), 0);
  assert.equal(columnBetween([200, 500, 800], 100), -0.5);
  assert.equal(columnBetween([200, 500, 800], 900), 2.5);
});

test('the front is what no other point beats, from little similarity to much', () => {
  const points = [point('a', 0.9, 0.3, 50), point('b', 0.5, 0.3, 100), point('c', 0.4, 0.2, 100)];
  const names = (/** @type {'alignment' | 'evaluations'} */ cost) =>
    paretoFront(points, cost).map((one) => one.name);
  assert.deepEqual(names('alignment'), ['c', 'b']);
  assert.deepEqual(names('evaluations'), ['c', 'a']);
});

test('an interval has the ends that were sent, and is its mean where none were', () => {
  const made = point('a', 0.5, 0.3, 100);
  assert.deepEqual(endsOf(made, 'similarity'), [0.48, 0.51]);
  assert.deepEqual(endsOf({ ...made, evaluations: { mean: 100 } }, 'evaluations'), [100, 100]);
});

test('equal points both stay on the front', () => {
  const points = [point('a', 0.5, 0.3, 1), point('b', 0.5, 0.3, 1)];
  assert.equal(paretoFront(points, 'alignment').length, 2);
});

test('names cover neither each other nor a point nor an edge', () => {
  const points = [
    { x: 100, y: 100 },
    { x: 104, y: 103 },
    { x: 96, y: 98 },
    { x: 10, y: 10 },
  ];
  const names = ['CFG', 'STP', 'DTP', 'OG'];
  const boxes = nameOffsets(points, names, { width: 300, height: 200 }).map(([x, y], i) => {
    const half = (names[i].length * 7) / 2;
    const center = { x: points[i].x + x, y: points[i].y + y };
    return { x0: center.x - half, x1: center.x + half, y0: center.y - 7, y1: center.y + 7 };
  });
  for (const [i, a] of boxes.entries()) {
    assert.ok(a.x0 >= 0 && a.x1 <= 300 && a.y0 >= 0 && a.y1 <= 200, `${names[i]} is cut off`);
    for (const b of boxes.slice(i + 1)) {
      assert.ok(a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0, `${names[i]} is covered`);
    }
  }
});

test('seeds with a transition are set beside those without', () => {
  const seed = (/** @type {number | null} */ t, /** @type {number | null} */ similarity) => ({
    estimated_timestep: t,
    prominent_timestep: null,
    similarity,
  });
  const all = [seed(500, 0.9), seed(400, 0.7), seed(null, 0.2), seed(null, null)];
  const words = dependenceWords(all, 'estimated_timestep');
  assert.equal(words, ' Mean similarity: 0.80 with one, 0.20 without.');
  assert.equal(dependenceWords(all, 'prominent_timestep'), '', 'one of the groups is empty');
});

test('a sweep opens at its best compromise, and else at the first picture', () => {
  const sweep = { cells: [[null, 1, 2]], values: [100, 200, 300] };
  const best = { value: 300, across: null, reason: '' };
  assert.equal(firstChoice({ ...sweep, best }), 2);
  assert.equal(firstChoice({ ...sweep, best: null }), 1);
});
