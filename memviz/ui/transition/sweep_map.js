// The sweep as a heat map: a value a column, a seed a row; a picture for the cell under the pointer.

const METRICS = [
  ['similarity', 'Similarity'],
  ['alignment', 'Alignment'],
  ['magnitude', 'Magnitude'],
  ['evaluations', 'Evaluations'],
];
const SCALES = {
  light: [[0, '#eef2f7'], [0.5, '#8fb0e0'], [1, '#173f8a']],
  dark: [[0, '#1d2636'], [0.5, '#3f6fb8'], [1, '#cfe0ff']],
};

function makeMap(plotlyPath, actions) {
  const figure = makeFigure('sweep', 'Sweep', plotlyPath);
  const self = { ...figure, view: null, metric: 'similarity', selected: 0 };
  const redraw = () => self.view?.sweep && figure.draw((colours) => heat(self, colours));
  figure.tools.append(choice('Shown value', METRICS, self.metric, (key) => {
    self.metric = key;
    redraw();
  }));
  figure.plot.setAttribute('tabindex', '0');
  figure.plot.addEventListener('keydown', (event) => walk(self, event, actions));
  figure.after = (plot) => {
    if (self.bound) return;
    self.bound = true;
    const cell = (event) => self.view.sweep.cells[event.points[0].pointIndex[0]]?.[event.points[0].pointIndex[1]];
    plot.on('plotly_click', (event) => pick(cell(event), actions.select));
    plot.on('plotly_hover', (event) => pick(cell(event), actions.peek));
    plot.on('plotly_unhover', () => actions.peek(null));
  };
  self.draw = (view, selected) => {
    self.view = view;
    self.selected = selected;
    figure.node.hidden = !view.sweep;
    if (!view.sweep) return;
    figure.head.textContent = `Sweep of the ${view.sweep.label}`;
    figure.command = view.command;
    figure.rows = () => mapRows(view);
    figure.say(mapWords(view));
    figure.plot.style.height = `${Math.min(720, 120 + 44 * view.sweep.rows.length)}px`;
    redraw();
  };
  self.select = (number) => {
    self.selected = number;
    redraw();
  };
  return self;
}

function pick(cell, act) {
  if (cell !== null && cell !== undefined) act(cell);
}

function walk(self, event, actions) {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  const move = moves[event.key];
  if (!move || !self.view?.sweep) return;
  event.preventDefault();
  const { cells } = self.view.sweep;
  const row = cells.findIndex((line) => line.includes(self.selected));
  const column = cells[row]?.indexOf(self.selected) ?? 0;
  pick(cells[row + move[0]]?.[column + move[1]], actions.select);
}

function heat(self, colours) {
  const { view, metric } = self;
  const { sweep } = view;
  const value = (number) => (number === null ? null : view.cells[number][metric]);
  const z = sweep.cells.map((row) => row.map(value));
  const y = sweep.rows.map((row) => row.name);
  const names = sweep.values.map(String);
  const dark = document.body.classList.contains('dark');
  const text = z.map((row) => row.map((v) => (v === null || v === undefined ? '' : say(v, metric === 'evaluations' ? 0 : 2))));
  const map = {
    type: 'heatmap',
    x: names,
    y,
    z,
    text,
    texttemplate: '%{text}',
    colorscale: dark ? SCALES.dark : SCALES.light,
    xgap: 2,
    ygap: 2,
    showscale: false,
    hovertemplate: `${sweep.label} %{x}, %{y}<br>${metric} %{z:.3f}<extra></extra>`,
  };
  const layout = frame(colours, {
    xaxis: { type: 'category', title: { text: sweep.label }, showgrid: false },
    yaxis: { showgrid: false },
    shapes: [...estimates(sweep, colours), ...bestColumn(sweep, colours), ...chosen(self, colours)],
  });
  return { data: [map], layout };
}

// Where the timestep t lies between the columns, which are numbered from 0.
function between(values, t) {
  const after = values.findIndex((v) => v >= t);
  if (after < 0) return values.length - 0.5;
  if (after === 0) return values[0] === t ? 0 : -0.5;
  return after - (values[after] - t) / (values[after] - values[after - 1]);
}

function estimates(sweep, colours) {
  if (!sweep.in_timesteps) return [];
  return sweep.estimated.flatMap((t, row) => {
    if (t === null || t === undefined) return [];
    const x = between(sweep.values, t);
    return [{ type: 'line', x0: x, x1: x, y0: row - 0.48, y1: row + 0.48, line: { color: colours.text, width: 3, dash: 'dot' } }];
  });
}

function bestColumn(sweep, colours) {
  if (!sweep.best) return [];
  const i = sweep.values.indexOf(sweep.best.value);
  const rows = sweep.rows.flatMap((row, at) => (row.across === sweep.best.across ? [at] : []));
  const line = { color: colours.method({ color: 2 }), width: 3 };
  return [{ type: 'rect', x0: i - 0.5, x1: i + 0.5, y0: rows[0] - 0.5, y1: rows.at(-1) + 0.5, line }];
}

function chosen(self, colours) {
  const { cells } = self.view.sweep;
  const row = cells.findIndex((line) => line.includes(self.selected));
  if (row < 0) return [];
  const column = cells[row].indexOf(self.selected);
  const line = { color: colours.method({ color: 0 }), width: 2 };
  return [{ type: 'rect', x0: column - 0.42, x1: column + 0.42, y0: row - 0.42, y1: row + 0.42, line }];
}

function mapWords(view) {
  const { sweep } = view;
  const known = sweep.estimated.filter((t) => t !== null && t !== undefined);
  const dotted = known.length && sweep.in_timesteps ? ` Dotted: the estimated transition (t = ${known.join(', ')}).` : '';
  const best = sweep.best ? ` Framed in green: the best compromise, ${bestName(sweep)}. ${sweep.best.reason}` : '';
  const cost = view.evaluations ? `${view.evaluations} network evaluations for ${view.cells.length} pictures.` : '';
  return `${cost}${dotted}${best}`.trim();
}

function bestName({ label, across, best }) {
  return `${label} ${best.value}${across ? ` with ${across} ${best.across}` : ''}`;
}

function mapRows(view) {
  const { sweep } = view;
  return sweep.cells.flatMap((row, i) =>
    row.filter((n) => n !== null).map((n) => {
      const cell = view.cells[n];
      const value = sweep.values[row.indexOf(n)];
      const figures = Object.fromEntries(METRICS.map(([key]) => [key, cell[key]]));
      const { seed, across } = sweep.rows[i];
      const second = sweep.across ? { [sweep.across]: across } : {};
      return { [sweep.axis]: value, ...second, seed, ...figures, verdict: cell.verdict };
    }),
  );
}
