import assert from 'node:assert/strict';
import { test } from 'node:test';

import { quoteField, recordRows, toCsv } from '../../memviz/ui/shared/csv.js';

test('a field with a comma, a quote or a line break is quoted', () => {
  assert.equal(quoteField('a, b'), '"a, b"');
  assert.equal(quoteField('a "b"'), '"a ""b"""');
  assert.equal(quoteField('a\nb'), '"a\nb"');
  assert.equal(quoteField('a b'), 'a b');
});

test('text that a spreadsheet would run as a formula is shown as text', () => {
  for (const text of ['=1+1', '+1', '-1', '@a', '\t=1']) assert.equal(quoteField(text), `'${text}`);
  assert.equal(quoteField('=HYPERLINK("a","b")'), '"\'=HYPERLINK(""a"",""b"")"');
  assert.equal(quoteField(-1.5), '-1.5', 'a number is none');
});

test('what is missing is empty, zero is not', () => {
  assert.equal(toCsv([[null, undefined, 0, false]]), ',,0,false');
});

test('records become rows below their names', () => {
  const rows = recordRows([
    { a: 1, b: 'x' },
    { b: 'y', a: 2 },
  ]);
  assert.equal(toCsv(rows), 'a,b\r\n1,x\r\n2,y');
  assert.equal(toCsv(recordRows([])), '');
});
