// Copies the plotly that package.json names to where the app serves it; --check only compares.

import { copyFileSync, readFileSync } from 'node:fs';

const name = 'plotly-cartesian.min.js';
const source = new URL(`node_modules/plotly.js-cartesian-dist-min/${name}`, import.meta.url);
const target = new URL(`../memviz/ui/vendor/${name}`, import.meta.url);

if (!process.argv.includes('--check')) copyFileSync(source, target);
else if (!readFileSync(source).equals(readFileSync(target))) {
  console.error(`memviz/ui/vendor/${name} differs from package-lock.json: run npm run vendor`);
  process.exit(1);
}
