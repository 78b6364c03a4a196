// The estimated transition over the seeds: how it is spread, how clear it is, what hangs on it.

const RULES = [
  ['estimated_timestep', 'Paper’s rule'],
  ['prominent_timestep', 'Prominent minima only'],
];

function makeSpread(plotlyPath, actions) {
  const figure = makeFigure('seeds', 'The estimated transition by seed', plotlyPath);
  const self = { ...figure, view: null, rule: RULES[0][0] };
  const redraw = () => self.view && figure.draw((colours) => spreadOf(self, colours));
  figure.tools.append(choice('Rule', RULES, self.rule, (key) => {
    self.rule = key;
    figure.say(spreadWords(self));
    redraw();
  }));
  figure.after = (plot) => {
    if (self.bound) return;
    self.bound = true;
    plot.on('plotly_click', (event) => pick(event.points[0].customdata, actions.select));
  };
  self.draw = (view) => {
    self.view = view;
    figure.node.hidden = (view.spread?.length ?? 0) < 2;
    if (figure.node.hidden) return;
    figure.command = view.command;
    figure.rows = () => view.spread;
    figure.say(spreadWords(self));
    redraw();
  };
  return self;
}

function spreadOf(self, colours) {
  const found = self.view.spread.filter((s) => s[self.rule] !== null && s[self.rule] !== undefined);
  const t = found.map((s) => s[self.rule]);
  const colour = colours.method({ color: 1 });
  const bars = {
    type: 'histogram',
    x: t,
    xbins: { start: 0, end: 1000, size: 50 },
    yaxis: 'y2',
    marker: { color: colour, opacity: 0.35 },
    hovertemplate: '%{y} seeds, t = %{x}<extra></extra>',
  };
  const dots = {
    type: 'scatter',
    mode: 'markers',
    x: t,
    y: found.map((s) => s.similarity),
    customdata: found.map((s) => s.cell),
    text: found.map((s) => `seed ${s.seed}, prominence ${say(s.estimated_prominence)}`),
    marker: { color: colour, size: found.map((s) => 7 + 4 * Math.min(3, s.estimated_prominence ?? 0)), line: { color: colours.paper, width: 1 } },
    hovertemplate: '%{text}<br>t = %{x}, similarity %{y:.2f}<extra></extra>',
  };
  const layout = frame(colours, {
    xaxis: { title: { text: 'estimated transition (timestep)' }, range: [1000, 0], anchor: 'y2' },
    yaxis: { title: { text: 'similarity' }, range: [0, 1.05], domain: [0.36, 1] },
    yaxis2: { title: { text: 'seeds' }, domain: [0, 0.26], gridcolor: colours.rule, zeroline: false, ...(found.length < 5 ? { dtick: 1 } : { nticks: 4 }) },
    shapes: self.view.thresholds.copied ? [copyMark(self.view.thresholds.copied, colours)] : [],
  });
  return { data: [bars, dots], layout };
}

function copyMark(y, colours) {
  return { type: 'line', xref: 'paper', x0: 0, x1: 1, y0: y, y1: y, line: { color: colours.soft, width: 1.2, dash: 'dot' } };
}

// Whether pictures whose transition was found are nearer to the training images.
function dependence(all, rule) {
  const known = all.filter((s) => s.similarity !== null && s.similarity !== undefined);
  const groups = [true, false].map((wanted) => known.filter((s) => (s[rule] !== null && s[rule] !== undefined) === wanted));
  if (groups.some((group) => !group.length)) return '';
  const [has, lacks] = groups.map((group) => say(group.reduce((sum, s) => sum + s.similarity, 0) / group.length));
  return ` Mean similarity: ${has} with one, ${lacks} without.`;
}

function spreadWords(self) {
  const all = self.view.spread;
  const has = (s, rule) => s[rule] !== null && s[rule] !== undefined;
  const none = all.filter((s) => !has(s, self.rule)).length;
  const share = Math.round((100 * none) / all.length);
  const differ = all.filter((s) => s.estimated_timestep !== s.prominent_timestep).length;
  const agree = differ ? `The two rules differ on ${differ} of them.` : 'The two rules agree on all of them.';
  return `${all.length} seeds; ${none} (${share} %) without a transition.${dependence(all, self.rule)} ${agree} Larger dots: deeper minima. The dotted line is the copy mark.`;
}
