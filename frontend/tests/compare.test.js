import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nearestFrame } from '../../memviz/ui/compare/cells.js';
import { keepEnded } from '../../memviz/ui/compare/line.js';
import { addSteps } from '../../memviz/ui/compare/patch.js';
import { addressStep, promptLines } from '../../memviz/ui/compare/player.js';
import { curvePath, lowest } from '../../memviz/ui/compare/story.js';

test('the newest frame that is no later than the step is shown', () => {
  const frames = [undefined, 'one', undefined, 'three'];
  assert.equal(nearestFrame(frames, 3), 'three');
  assert.equal(nearestFrame(frames, 2), 'one');
  assert.equal(nearestFrame(frames, 99), 'three');
});

test('before the first frame the first one is shown, and none where there is none', () => {
  assert.equal(nearestFrame([undefined, 'one'], 0), 'one');
  assert.equal(nearestFrame([], 4), null);
});

test('the step of an address stays within what is made', () => {
  const step = (/** @type {string} */ text) => addressStep(new URLSearchParams(text), 50);
  assert.equal(step('t=21'), 21);
  assert.equal(step('t=0'), 0);
  for (const text of ['', 't=99', 't=-1', 't=1.5', 't=many']) assert.equal(step(text), 49);
});

test('a curve leaves out what was not measured, and starts below its lowest value', () => {
  assert.equal(
    curvePath([0.5, null, 1], 10, (value) => 1 - value),
    'M0.0 0.5L10.0 0.0',
  );
  assert.equal(
    curvePath([null], 10, (value) => value),
    '',
  );
  assert.equal(lowest([0.93, null, 0.68]), 0.6);
});

test('a box holds a prompt a line, each once', () => {
  assert.deepEqual(promptLines(' a fox\r\n\nan owl\na fox '), ['a fox', 'an owl']);
  assert.deepEqual(promptLines(' \n '), []);
});

const trace = () => ({ magnitude: [5], scale: [0], similarity: [0.1], nearest: [7] });
const live = () =>
  /** @type {any} */ ({
    id: 'a',
    step: 1,
    result: '',
    cells: [0, 1].map((cell) => ({ cell, where: '', trace: trace(), preview: null })),
  });
/** @param {number} from @param {number} count */
const patch = (from, count) => {
  const column = [...Array(count).keys()].map((i) => from + i);
  return {
    id: 'a',
    from,
    step: from + count,
    result: 'on',
    added: {
      magnitude: [column, column],
      scale: [column, column],
      similarity: [column, column],
      nearest: [column, column],
    },
    changed: /** @type {any} */ ([{ cell: 1, where: 'switched' }]),
    pictures: ['one', 'two'],
    shown: [0, 1],
  };
};

test('a patch adds its steps, those known already once, and tells of a gap', () => {
  const view = live();
  assert.ok(addSteps(view, patch(1, 2)));
  assert.deepEqual(view.cells[1].trace.magnitude, [5, 1, 2]);
  assert.equal(view.cells[1].where, 'switched');
  assert.equal(view.cells[1].preview, 'two');
  assert.ok(addSteps(view, patch(2, 2)));
  assert.deepEqual(view.cells[0].trace.magnitude, [5, 1, 2, 3]);
  assert.ok(addSteps(view, patch(1, 1)));
  assert.equal(view.step, 4);
  assert.ok(!addSteps(view, patch(5, 1)));
  assert.deepEqual(view.cells[0].trace.magnitude, [5, 1, 2, 3]);
});

test('what ended unseen stays in the line until it is shown', () => {
  const one = { token: 'a', title: 'fox', words: 'under way', run: 'r' };
  const two = { token: 'b', title: 'owl', words: 'Place 2', run: null };
  assert.deepEqual(keepEnded([one, two], [], ''), [{ ...one, words: 'done' }]);
  assert.deepEqual(keepEnded([one, two], [two], 'a'), [two]);
});
