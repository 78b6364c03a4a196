// The three curves in one plotly figure. The cursor is a plain element, so moving it redraws nothing.

const PANELS = [
  { name: 'magnitude', title: 'Magnitude: how hard the prompt pulls', axis: 'y', domain: [0.72, 0.95] },
  { name: 'scale', title: 'Scale: the guidance in force', axis: 'y2', domain: [0.39, 0.61] },
  { name: 'similarity', title: 'Similarity to the nearest training image', axis: 'y3', domain: [0, 0.28] },
];

function makeCurves(plotlyPath, actions) {
  const plot = h('div', { class: 'mv-plot', role: 'img' });
  const cursor = h('div', { class: 'mv-cursor', hidden: true });
  const legend = h('div', { class: 'mv-legend', role: 'group', 'aria-label': 'Curves shown' });
  const node = h('div', { class: 'mv-curves' }, legend, h('div', { class: 'mv-plotbox' }, plot, cursor));
  const self = { node, view: null, step: 0, selected: 0, hidden: new Set(), ready: false };

  const place = () => placeCursor(self, plot, cursor);
  const redraw = async () => {
    const Plotly = await loadPlotly(plotlyPath);
    if (!self.view || !plot.clientWidth) return;
    const colours = palette(node);
    await Plotly.react(plot, lines(self, colours), layout(self, colours), CONFIG);
    if (!self.ready) listen(plot, actions, place);
    self.ready = true;
    place();
  };

  self.draw = (view) => {
    self.view = view;
    plot.setAttribute('aria-label', Object.values(view.summaries).join(' ') || 'Curves so far');
    legend.replaceChildren(...legendNodes(self, redraw));
    redraw();
  };
  self.cursor = (step) => {
    self.step = step;
    place();
  };
  self.select = (number) => {
    if (self.selected === number) return;
    self.selected = number;
    clearTimeout(self.timer);
    self.timer = setTimeout(() => self.ready && redraw(), 80);
  };
  new ResizeObserver(() => {
    if (self.ready && plot.clientWidth) window.Plotly.Plots.resize(plot).then(place);
    else redraw();
  }).observe(plot);
  new MutationObserver(redraw).observe(document.body, { attributeFilter: ['class'] });
  return self;
}

function listen(plot, actions, place) {
  plot.on('plotly_click', (event) => actions.go(Math.round(event.points[0].x)));
  plot.on('plotly_relayout', place);
  plot.on('plotly_afterplot', place);
}

function placeCursor(self, plot, cursor) {
  const axis = plot._fullLayout?.xaxis;
  if (!axis || !self.ready) return;
  const x = axis.l2p(self.step);
  cursor.hidden = x < 0 || x > axis._length;
  cursor.style.transform = `translateX(${axis._offset + x}px)`;
}

function lines(self, colours) {
  const { view } = self;
  const made = view.cells.flatMap((cell) => PANELS.map((panel) => line(self, cell, panel, colours)));
  return [...band(view, colours), ...made, ...switches(self, colours)];
}

function line(self, cell, panel, colours) {
  const method = self.view.methods[cell.method] ?? { symbol: 'circle', dash: 'solid', color: 0 };
  const y = cell.trace[panel.name];
  const strong = cell.cell === self.selected;
  const colour = colours.method(method);
  const hover = `<b>${who(self.view, cell)}</b><br>step %{x}, t=%{customdata}<br>`;
  return {
    type: 'scatter',
    mode: 'lines+markers',
    x: y.map((_, step) => step),
    y,
    yaxis: panel.axis,
    customdata: self.view.timesteps,
    visible: !self.hidden.has(cell.method),
    opacity: strong ? 1 : 0.75,
    line: { color: colour, dash: method.dash, width: strong ? 3.2 : 1.6, shape: stepped(panel) },
    marker: { color: colour, symbol: method.symbol, size: strong ? 9 : 6, maxdisplayed: 7 },
    hovertemplate: `${hover}${panel.name} %{y:.2f}<extra></extra>`,
  };
}

function stepped(panel) {
  return panel.name === 'scale' ? 'hv' : 'linear';
}

// A large open marker where each method's guidance comes on.
function switches(self, colours) {
  return self.view.cells
    .filter((cell) => Number.isInteger(cell.transition_step) && !self.hidden.has(cell.method))
    .map((cell) => {
      const method = self.view.methods[cell.method];
      const step = cell.transition_step;
      return {
        type: 'scatter',
        mode: 'markers',
        x: [step],
        y: [cell.trace.magnitude[step] ?? null],
        marker: {
          symbol: `${method.symbol}-open`,
          size: 15,
          color: colours.method(method),
          line: { width: 2.5 },
        },
        hovertemplate: `<b>${who(self.view, cell)}</b><br>${cell.where}<extra></extra>`,
      };
    });
}

function layout(self, colours) {
  const { view } = self;
  const axis = { ...quiet(colours), nticks: 5, automargin: false };
  const sides = Object.fromEntries(PANELS.map((p) => [`yaxis${p.axis.slice(1)}`, { ...axis, domain: p.domain }]));
  sides.yaxis.rangemode = 'tozero';
  sides.yaxis3.range = [0, 1.02];
  return frame(colours, {
    ...sides,
    xaxis: { ...axis, nticks: 9, range: [-0.5, view.steps - 0.5], anchor: 'y3', title: { text: 'step', standoff: 6 } },
    uirevision: view.id, // keeps the zoom when only the data changes
    margin: { l: 38, r: 10, t: 4, b: 38 },
    dragmode: zooming(),
    annotations: [...titles(colours), ...marks(view, colours)],
    shapes: markLines(view, colours),
  });
}

function titles(colours) {
  return PANELS.map((panel) => ({
    text: panel.title,
    xref: 'paper',
    x: 0,
    xanchor: 'left',
    yref: 'paper',
    y: panel.domain[1] + 0.005,
    yanchor: 'bottom',
    showarrow: false,
    font: { color: colours.text, size: 13 },
  }));
}

// What the dotted line and the grey band are, said where curves seldom come.
function marks(view, colours) {
  const note = { xref: 'paper', showarrow: false, font: { color: colours.soft, size: 11 } };
  const found = [];
  if (view.thresholds.copied) {
    const text = `dotted: copy mark ${view.thresholds.copied}`;
    found.push({ ...note, text, x: 0.99, xanchor: 'right', yref: 'y3', y: 0, yanchor: 'bottom' });
  }
  if (view.band) {
    const place = { x: 0.01, xanchor: 'left', yref: 'paper', y: PANELS[0].domain[1], yanchor: 'top' };
    found.push({ ...note, ...place, text: 'grey: ordinary prompts' });
  }
  return found;
}

function markLines(view, colours) {
  if (!view.thresholds.copied) return [];
  const y = view.thresholds.copied;
  const rule = { color: colours.soft, width: 1.2, dash: 'dot' };
  return [{ type: 'line', xref: 'paper', x0: 0, x1: 1, yref: 'y3', y0: y, y1: y, line: rule }];
}

function legendNodes(self, redraw) {
  return Object.entries(self.view.methods).map(([key, method]) => {
    const button = h('button', { type: 'button', class: 'mv-key', title: method.label });
    button.append(symbol(method, true), method.short);
    const press = () => button.setAttribute('aria-pressed', String(!self.hidden.has(key)));
    button.addEventListener('click', () => {
      if (!self.hidden.delete(key)) self.hidden.add(key);
      press();
      redraw();
    });
    press();
    return button;
  });
}
