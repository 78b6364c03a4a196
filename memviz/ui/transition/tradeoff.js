// What a method costs: similarity against alignment, or against evaluations; the best few joined.

const COSTS = [
  ['alignment', 'Alignment'],
  ['evaluations', 'Evaluations'],
];

function makeTradeoff(plotlyPath) {
  const figure = makeFigure('tradeoff', 'Copies against what they cost', plotlyPath);
  const self = { ...figure, view: null, cost: 'alignment' };
  const redraw = () => {
    figure.say(tradeoffWords(self));
    figure.draw((colours) => tradeoffOf(self, colours));
  };
  figure.tools.append(choice('Against', COSTS, self.cost, (key) => {
    self.cost = key;
    redraw();
  }));
  self.draw = (view) => {
    self.view = view;
    figure.node.hidden = (view.tradeoff?.length ?? 0) < 2;
    if (figure.node.hidden) return;
    figure.command = view.command ?? 'python -m memviz remedies --save';
    figure.rows = () => view.tradeoff.map((p) => ({ method: p.name, ...flat(p) }));
    redraw();
  };
  return self;
}

function flat(point) {
  const names = ['similarity', 'alignment', 'evaluations'];
  return Object.fromEntries(names.flatMap((n) => [[n, point[n]?.mean], [`${n}_low`, point[n]?.low], [`${n}_high`, point[n]?.high]]));
}

// Ends of an interval; a mean of too few has none.
function lowEnd(value) { return value.low ?? value.mean; }
function highEnd(value) { return value.high ?? value.mean; }

// Low similarity is good; high alignment is good, many evaluations are not.
function front(points, cost) {
  const sign = cost === 'alignment' ? 1 : -1;
  const worse = (a, b) => b.similarity.mean <= a.similarity.mean && sign * b[cost].mean >= sign * a[cost].mean;
  return points
    .filter((a) => !points.some((b) => b !== a && worse(a, b) && !worse(b, a)))
    .sort((a, b) => a.similarity.mean - b.similarity.mean);
}

// Where a name may stand: up, down and aside, the nearer the sooner.
const SIDES = [[0, -1], [0, 1], [1, 0], [-1, 0], [1, -1], [1, 1], [-1, -1], [-1, 1]];
const PLACES = [14, 28, 42, 56, 70].flatMap((far) => SIDES.map(([x, y]) => [x * far, y * far]));
const LETTER = 7; // pixels

// How far each name stands from its point, so that it covers no other name, no point and no edge.
function offsets(points, names, { width, height }) {
  const taken = points.map(({ x, y }) => [x - 6, y - 6, x + 6, y + 6]);
  return points.map((point, i) => {
    const half = (names[i].length * LETTER) / 2;
    const away = PLACES.map(([x, y]) => [x + Math.sign(x) * half, y]);
    const box = ([x, y]) => [point.x + x - half, point.y + y - 7, point.x + x + half, point.y + y + 7];
    const inside = ([left, top, right, bottom]) => left >= 0 && right <= width && top >= 0 && bottom <= height;
    const apart = (a, b) => a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1];
    const free = (found) => inside(found) && taken.every((other, k) => k === i || apart(found, other));
    const found = away.find((place) => free(box(place))) ?? away[0];
    taken.push(box(found));
    return found;
  });
}

function tradeoffOf(self, colours) {
  const { view, cost, plot } = self;
  const points = view.tradeoff.filter((p) => p[cost]);
  const ranges = { similarity: roomy(points, 'similarity', 0.14), [cost]: roomy(points, cost, 0.1) };
  const share = (p, name) => (p[name].mean - ranges[name][0]) / (ranges[name][1] - ranges[name][0]);
  const names = points.map((p) => p.name.replace(/.*\((.*)\)$/, '$1'));
  const size = { width: plot.clientWidth - 60, height: plot.clientHeight - 52 }; // less the axes
  const spots = points.map((p) => ({ x: share(p, 'similarity') * size.width, y: (1 - share(p, cost)) * size.height }));
  const places = offsets(spots, names, size);
  const annotations = points.map((p, i) => ({
    x: p.similarity.mean,
    y: p[cost].mean,
    text: names[i],
    ax: places[i][0],
    ay: places[i][1],
    arrowhead: 0,
    arrowwidth: 1,
    arrowcolor: colours.soft,
    font: { color: colours.text, size: 11 },
  }));
  const best = front(points, cost);
  const line = {
    type: 'scatter',
    mode: 'lines',
    x: best.map((p) => p.similarity.mean),
    y: best.map((p) => p[cost].mean),
    line: { color: colours.soft, width: 1.5, dash: 'dot' },
    hoverinfo: 'skip',
  };
  const dots = points.map((p) => {
    const method = view.methods[p.method] ?? { symbol: 'circle', color: 0 };
    const colour = colours.method(method);
    const bar = (n) => ({ type: 'data', array: [highEnd(p[n]) - p[n].mean], arrayminus: [p[n].mean - lowEnd(p[n])], color: colour, thickness: 1, width: 3 });
    return {
      type: 'scatter',
      mode: 'markers',
      x: [p.similarity.mean],
      y: [p[cost].mean],
      error_x: bar('similarity'),
      error_y: bar(cost),
      marker: { symbol: method.symbol, color: colour, size: 11 },
      hovertemplate: `<b>${p.name}</b><br>similarity %{x:.3f}<br>${cost} %{y:.3f}<extra></extra>`,
    };
  });
  const layout = frame(colours, {
    xaxis: { title: { text: 'similarity (lower copies less)' }, range: ranges.similarity },
    yaxis: { title: { text: cost }, range: ranges[cost] },
    annotations,
  });
  return { data: [line, ...dots], layout };
}

// The range of a figure with room for its labels.
function roomy(points, name, share) {
  const ends = points.flatMap((p) => [lowEnd(p[name]), highEnd(p[name])]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = share * (high - low || 1);
  return [low - room, high + room];
}

function tradeoffWords(self) {
  const points = self.view.tradeoff.filter((p) => p[self.cost]);
  const names = front(points, self.cost).map((p) => p.name).join(', ');
  const of = self.view.id ? 'this run' : 'the demo’s duplicated prompts';
  return `Means over the pictures of ${of}, with 95 % intervals over prompts, or over seeds where there is but one. No other point is better in both: ${names}.`;
}
