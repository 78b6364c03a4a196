// Similarities of one's pictures over those of the training images among themselves.

const NARROW = { WIDTH: innerWidth < 640 ? 300 : 600, HEIGHT: 110 }; // in its own units: words keep their size

function histogram(view) {
  const { WIDTH, HEIGHT } = NARROW;
  const first = start(view);
  const at = (similarity) => (WIDTH * (similarity - first)) / (1 - first);
  const chart = svg('svg', { viewBox: `-14 -16 ${WIDTH + 74} ${HEIGHT + 36}`, role: 'img', 'aria-label': view.words });
  chart.append(...bars(view.histogram.background, 'mv-null', first), ...bars(view.histogram.pictures, 'mv-mine', first));
  for (const [name, x, anchor] of [['close', view.marks.close, 'end'], ['copied', view.marks.copied, 'start']]) {
    chart.append(svg('path', { d: `M${at(x)} -12V${HEIGHT}`, class: 'mv-mark' }));
    chart.append(label(at(x) + (anchor === 'end' ? -4 : 4), -4, `${name} ${x.toFixed(2)}`, anchor));
  }
  for (let t = Math.round(10 * first); t <= 10; t += 1) chart.append(label(at(t / 10), HEIGHT + 15, (t / 10).toFixed(1)));
  const legend = h('figcaption', { class: 'mv-soft' }, view.words);
  return h('figure', { class: 'mv-histogram' }, chart, legend);
}

function label(x, y, text, anchor = 'middle') {
  return svg('text', { x, y, 'text-anchor': anchor, 'font-size': 11, fill: 'currentColor' }, text);
}

// The tenth below the first bar and the marks: nothing is to be seen left of it.
function start(view) {
  const { pictures, background } = view.histogram;
  const bin = background.findIndex((n, i) => n || pictures[i]);
  const low = Math.min(bin < 0 ? 1 : bin / background.length, view.marks.close, view.marks.copied, 0.9);
  return Math.floor(10 * low) / 10;
}

function bars(all, kind, first) {
  const counts = all.slice(Math.round(first * all.length));
  const [top, step] = [Math.max(...counts, 1), NARROW.WIDTH / counts.length];
  return counts.flatMap((n, i) => {
    const height = n ? Math.max(2, (NARROW.HEIGHT * n) / top) : 0;
    return n ? [svg('rect', { x: i * step, y: NARROW.HEIGHT - height, width: step - 1, height, class: kind })] : [];
  });
}
