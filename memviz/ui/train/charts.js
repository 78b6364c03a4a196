// Charts that are updated in place, zoom and all.

const MARKS = [
  { symbol: 'circle', dash: 'solid', color: 0 },
  { symbol: 'diamond', dash: 'dash', color: 1 },
  { symbol: 'square', dash: 'dot', color: 2 },
  { symbol: 'triangle-up', dash: 'dashdot', color: 3 },
];

function makeChart(title, axes) {
  const plot = h('div', { class: 'mv-chart', role: 'img' });
  const words = h('p', { class: 'mv-soft' });
  const node = h('figure', { class: 'mv-figure' }, h('h3', {}, title), plot, words);
  const self = { node, revision: null, drawn: null };

  const redraw = async () => {
    const Plotly = await loadPlotly(props.plotly_path);
    if (!plot.clientWidth || !self.make) return;
    const colours = palette(node);
    const traces = self.make(colours);
    const layout = chartLayout(self, axes, colours, traces.length > 1);
    if (self.drawn === self.revision) keepZoom(plot._fullLayout, layout);
    self.drawn = self.revision;
    await Plotly.react(plot, traces, layout, CONFIG);
  };
  self.draw = (revision, said, make) => {
    Object.assign(self, { revision, make });
    words.textContent = said || 'Nothing was measured yet.';
    plot.setAttribute('aria-label', `${title}. ${words.textContent}`);
    redraw();
  };
  new ResizeObserver(() => {
    if (plot._fullLayout && plot.clientWidth) window.Plotly.Plots.resize(plot);
    else redraw();
  }).observe(plot);
  new MutationObserver(redraw).observe(document.body, { attributeFilter: ['class'] });
  return self;
}

// `uirevision` alone forgets a zoom when a chart is redrawn within another's update.
function keepZoom(shown, layout) {
  for (const name of ['xaxis', 'yaxis']) {
    if (shown && !shown[name].autorange) layout[name].range = [...shown[name].range];
  }
}

function chartLayout(self, axes, colours, legend) {
  return frame(colours, {
    xaxis: { nticks: 7, title: { text: axes.x, standoff: 6 }, ...axes.xaxis },
    yaxis: { nticks: 5, ...axes.yaxis },
    uirevision: self.revision, // keeps the zoom when only the data changes
    margin: { l: 46, r: 8, t: 6, b: 40 },
    showlegend: legend,
    legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0, font: { color: colours.text } },
    dragmode: zooming(),
    ...upright(axes.marks?.() ?? [], colours),
  });
}

// Named lines at places of the x axis.
function upright(marks, colours) {
  const line = { color: colours.text, width: 1.5, dash: 'dot' };
  const place = { yref: 'paper', showarrow: false, font: { color: colours.text } };
  return {
    shapes: marks.map(({ x }) => ({ type: 'line', x0: x, x1: x, y0: 0, y1: 1, yref: 'paper', line })),
    annotations: marks.map(({ x, text }) => ({ ...place, x, y: 1, text, xanchor: 'left', yanchor: 'top', xshift: 4 })),
  };
}

function lossLines(view, colours) {
  const line = { color: colours.method(MARKS[1]), width: 1.8 };
  const hovertemplate = 'step %{x}<br>loss %{y:.4f}<extra></extra>';
  const mode = view.loss.y?.length === 1 ? 'markers' : 'lines'; // one point makes no line
  return [{ type: 'scatter', mode, ...view.loss, line, hovertemplate }];
}

function probeLines(view, measure, colours) {
  const shown = measure === 'copied' ? '%{y:.0%}' : '%{y:.3f}';
  return Object.values(view.probes).map((curve, index) => {
    const mark = MARKS[index % MARKS.length];
    return {
      type: 'scatter',
      mode: 'lines+markers',
      cliponaxis: false, // whole marks on the zero line
      name: curve.label,
      x: curve.x,
      y: curve[measure],
      line: { color: colours.method(mark), dash: mark.dash, width: 2 },
      marker: { color: colours.method(mark), symbol: mark.symbol, size: 8 },
      hovertemplate: `<b>${curve.label}</b><br>step %{x}<br>${view.measures[measure]} ${shown}<extra></extra>`,
    };
  });
}

// The newest round in full, the first one faint beside it.
function gateLines(view, colours, column) {
  const rounds = view.gates.length > 1 ? [view.gates[0], view.gates.at(-1)] : view.gates;
  return rounds.map((gate, index) => {
    const newest = index === rounds.length - 1;
    const mark = MARKS[newest ? 0 : 1];
    return {
      type: 'scatter',
      mode: 'lines',
      name: `round ${gate.round}`,
      x: view.timesteps,
      y: gate[column],
      opacity: newest ? 1 : 0.7,
      line: { color: colours.method(mark), dash: mark.dash, width: newest ? 2.4 : 1.6, shape: 'hvh' },
      hovertemplate: `<b>round ${gate.round}</b><br>t about %{x}<br>%{y:.3f}<extra></extra>`,
    };
  });
}
