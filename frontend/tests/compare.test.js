import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nearestFrame } from '../../memviz/ui/compare/cells.js';
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
