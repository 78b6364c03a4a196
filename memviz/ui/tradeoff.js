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
  return Object.fromEntries(names.flatMap((n) => [[n, point[n]?.mean], [`${n}_half`, point[n]?.half]]));
}

// Low similarity is good; high alignment is good, many evaluations are not.
function front(points, cost) {
  const sign = cost === 'alignment' ? 1 : -1;
  const worse = (a, b) => b.similarity.mean <= a.similarity.mean && sign * b[cost].mean >= sign * a[cost].mean;
  return points
    .filter((a) => !points.some((b) => b !== a && worse(a, b) && !worse(b, a)))
    .sort((a, b) => a.similarity.mean - b.similarity.mean);
}

function tradeoffOf(self, colours) {
  const { view, cost } = self;
  const points = view.tradeoff.filter((p) => p[cost]);
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
    const bar = (n) => ({ type: 'data', array: [p[n].half], color: colour, thickness: 1, width: 3 });
    return {
      type: 'scatter',
      mode: 'markers+text',
      x: [p.similarity.mean],
      y: [p[cost].mean],
      error_x: bar('similarity'),
      error_y: bar(cost),
      text: [p.name.replace(/.*\((.*)\)$/, '$1')],
      textposition: 'top center',
      textfont: { color: colours.text, size: 11 },
      marker: { symbol: method.symbol, color: colour, size: 11 },
      hovertemplate: `<b>${p.name}</b><br>similarity %{x:.3f}<br>${cost} %{y:.3f}<extra></extra>`,
    };
  });
  const layout = frame(colours, {
    xaxis: { title: { text: 'similarity (lower copies less)' }, range: roomy(points, 'similarity', 0.14) },
    yaxis: { title: { text: cost }, range: roomy(points, cost, 0.1) },
  });
  return { data: [line, ...dots], layout };
}

// The range of a figure with room for its labels.
function roomy(points, name, share) {
  const ends = points.flatMap((p) => [p[name].mean - p[name].half, p[name].mean + p[name].half]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = share * (high - low || 1);
  return [low - room, high + room];
}

function tradeoffWords(self) {
  const points = self.view.tradeoff.filter((p) => p[self.cost]);
  const names = front(points, self.cost).map((p) => p.name).join(', ');
  const of = self.view.id ? 'this run' : 'the demo’s duplicated prompts';
  return `Means over the pictures of ${of}, with 95 % intervals. No other point is better in both: ${names}.`;
}
