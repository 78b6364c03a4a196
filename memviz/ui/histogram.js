// Similarities of one's pictures over those of the training images among themselves.

const NARROW = { WIDTH: 600, HEIGHT: 110 }; // in its own units

function histogram(view) {
  const { WIDTH, HEIGHT } = NARROW;
  const chart = svg('svg', { viewBox: `-14 -16 ${WIDTH + 74} ${HEIGHT + 36}`, role: 'img', 'aria-label': view.words });
  chart.append(...bars(view.histogram.background, 'mv-null'), ...bars(view.histogram.pictures, 'mv-mine'));
  for (const [name, x, anchor] of [['close', view.marks.close, 'end'], ['copied', view.marks.copied, 'start']]) {
    chart.append(svg('path', { d: `M${WIDTH * x} -12V${HEIGHT}`, class: 'mv-mark' }));
    chart.append(label(WIDTH * x + (anchor === 'end' ? -4 : 4), -4, `${name} ${x.toFixed(2)}`, anchor));
  }
  for (let t = 0; t <= 10; t += 2) chart.append(label((WIDTH * t) / 10, HEIGHT + 15, (t / 10).toFixed(1)));
  const legend = h('figcaption', { class: 'mv-soft' }, view.words);
  return h('figure', { class: 'mv-histogram' }, chart, legend);
}

function label(x, y, text, anchor = 'middle') {
  return svg('text', { x, y, 'text-anchor': anchor, 'font-size': 11, fill: 'currentColor' }, text);
}

function bars(counts, kind) {
  const [top, step] = [Math.max(...counts, 1), NARROW.WIDTH / counts.length];
  return counts.flatMap((n, i) => {
    const height = n ? Math.max(2, (NARROW.HEIGHT * n) / top) : 0;
    return n ? [svg('rect', { x: i * step, y: NARROW.HEIGHT - height, width: step - 1, height, class: kind })] : [];
  });
}
