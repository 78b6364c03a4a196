// One signal along the steps, with its band, and a handle that moves the transition.

function makeWhatIf(plotlyPath, actions) {
  const figure = makeFigure('signal', 'What if the transition came elsewhere?', plotlyPath);
  const pickSignal = h('select', { class: 'mvt-select', 'aria-label': 'Signal' });
  const unit = h('p', { class: 'mv-soft mvt-formula' });
  const handle = h('div', { class: 'mvt-handle', role: 'slider', tabindex: '0', 'aria-label': 'Transition', hidden: true }, h('span', {}));
  const readout = h('p', { class: 'mvt-readout', 'aria-live': 'polite' });
  const rerun = h('button', { type: 'button', class: 'mv-button mvt-rerun' }, 'Re-run from here');
  const others = h('ul', { class: 'mvt-switches' });
  figure.tools.append(pickSignal);
  figure.box.append(handle);
  figure.node.append(unit, h('div', { class: 'mvt-ask' }, readout, rerun), others);
  const self = { ...figure, view: null, signal: 'magnitude', selected: 0, step: 0, moved: false };

  const place = () => {
    const axis = figure.plot._fullLayout?.xaxis;
    handle.hidden = !axis || !self.view;
    if (!handle.hidden) handle.style.transform = `translateX(${axis._offset + axis.l2p(self.step)}px)`;
  };
  const tell = () => {
    const t = self.view.timesteps[self.step];
    handle.setAttribute('aria-valuemin', 0);
    handle.setAttribute('aria-valuemax', self.view.timesteps.length - 1);
    handle.setAttribute('aria-valuenow', self.step);
    handle.setAttribute('aria-valuetext', `step ${self.step}, t = ${t}`);
    readout.textContent = `Transition at step ${self.step} (t = ${t}). ${handleWords(self)}`;
    others.replaceChildren(...switchList(self));
  };
  self.move = (step) => {
    self.step = Math.max(0, Math.min(self.view.timesteps.length - 1, Math.round(step)));
    place();
    tell();
  };
  self.put = (step) => {
    self.moved = true; // from now on it stays there
    self.move(step);
  };
  const at = (event) => {
    const axis = figure.plot._fullLayout.xaxis;
    return axis.p2l(event.clientX - figure.plot.getBoundingClientRect().left - axis._offset);
  };
  handle.addEventListener('pointerdown', (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener('pointermove', (event) => {
    if (handle.hasPointerCapture(event.pointerId)) self.put(at(event));
  });
  handle.addEventListener('keydown', (event) => {
    const far = self.view.timesteps.length - 1;
    const steps = { ArrowLeft: self.step - 1, ArrowRight: self.step + 1, PageDown: self.step - 5, PageUp: self.step + 5, Home: 0, End: far };
    if (!(event.key in steps)) return;
    event.preventDefault();
    self.put(steps[event.key]);
  });
  rerun.addEventListener('click', () => {
    actions.rerun({ run: self.view.id, cell: self.selected, at: self.view.timesteps[self.step] });
  });
  pickSignal.addEventListener('change', () => {
    self.signal = pickSignal.value;
    redraw();
  });
  figure.after = place;
  const redraw = () => {
    if (!self.view?.cells) return;
    const meaning = self.view.signals[self.signal];
    unit.textContent = meaning ? `${meaning.formula ? `${meaning.formula}. ` : ''}High: ${meaning.high}. Low: ${meaning.low}. ${meaning.source}` : '';
    const dashed = probe(self) ? ' Dashed: the probe, the same seed under plain guidance.' : '';
    const how = self.signal === 'similarity' ? ` ${self.view.decoder_note}` : '';
    figure.say(`${meaning?.label ?? self.signal} of ${self.view.cells.length} pictures. ${bandWords(self)}${dashed}${how}`);
    figure.rows = () => curveRows(self);
    figure.draw((colours) => curvesOf(self, colours));
  };
  self.draw = (view, selected) => {
    const fresh = self.view?.id !== view.id;
    self.view = view;
    figure.node.hidden = !view.cells?.length || !Object.keys(view.signals).length;
    if (figure.node.hidden) return;
    figure.command = view.command;
    if (!(self.signal in view.signals)) self.signal = Object.keys(view.signals)[0];
    const options = Object.entries(view.signals).map(([key, s]) => h('option', { value: key, selected: key === self.signal }, s.label));
    pickSignal.replaceChildren(...options);
    rerun.disabled = Boolean(view.live);
    redraw();
    if (fresh || !self.moved) self.select(selected);
    else tell();
  };
  self.select = (number) => {
    self.selected = number;
    self.moved = false;
    self.move(self.view.cells[number].transition_step ?? 0);
    redraw();
  };
  return self;
}

function handleWords(self) {
  const cell = self.view.cells[self.selected];
  const was = cell.transition_step;
  const own = Number.isInteger(was) ? `it switched at step ${was}` : 'it never switched';
  const kept = self.view.live ? 'it is not finished' : cell.kept_bytes ? `its latents are kept (${(cell.kept_bytes / 1024).toFixed(0)} kB)` : 'its latents were not kept, so the picture is made afresh';
  return `Chosen picture: ${cell.name}, seed ${cell.seed}; ${own}; ${kept}.`;
}

// The same prompt and seed under plain guidance, if the run has it and it is not the chosen one.
function probe({ view, selected, signal }) {
  const { prompt, seed } = view.cells[selected];
  const same = (c) => c.method === 'cfg' && c.prompt === prompt && c.seed === seed && c.trace[signal];
  return view.cells.find((c) => c.cell !== selected && same(c));
}

function switchList(self) {
  const found = self.view.switches[self.selected] ?? {};
  return Object.entries(found).map(([key, step]) => {
    const where = step === null ? 'would not switch' : `would switch at step ${step} (t = ${self.view.timesteps[step]})`;
    const button = h('button', { type: 'button', class: 'mvt-small' }, key.toUpperCase());
    button.disabled = step === null;
    button.addEventListener('click', () => self.put(step));
    return h('li', {}, button, h('span', {}, `${where} on this trace`));
  });
}

function bandWords(self) {
  const band = self.view.bands[self.signal];
  return band ? `Behind them: where 90 % of ordinary prompts lie. ${self.view.band_note}` : self.view.band_note || 'No band of ordinary prompts is known for this signal.';
}

function curvesOf(self, colours) {
  const { view, signal } = self;
  const data = [];
  const band = view.bands[signal];
  if (band) {
    const edge = { type: 'scatter', mode: 'lines', x: band.low.map((_, i) => i), line: { width: 0 }, hoverinfo: 'skip' };
    data.push({ ...edge, y: band.low }, { ...edge, y: band.high, fill: 'tonexty', fillcolor: colours.band });
  }
  const plain = probe(self);
  if (plain) {
    const line = { color: colours.text, width: 2, dash: 'dash' };
    const y = plain.trace[signal];
    const hovertemplate = `<b>Probe: plain guidance, seed ${plain.seed}</b><br>step %{x}<br>%{y:.3f}<extra></extra>`;
    data.push({ type: 'scatter', mode: 'lines', x: y.map((_, i) => i), y, line, hovertemplate });
  }
  const order = [...view.cells].sort((a, b) => (a.cell === self.selected) - (b.cell === self.selected));
  for (const cell of order) {
    const y = cell.trace[signal];
    if (!y) continue;
    const strong = cell.cell === self.selected;
    const method = view.methods[cell.method] ?? { color: 0, dash: 'solid' };
    data.push({
      type: 'scatter',
      mode: 'lines',
      x: y.map((_, i) => i),
      y,
      customdata: view.timesteps,
      opacity: strong ? 1 : 0.35,
      line: { color: colours.method(method), width: strong ? 3 : 1.2, dash: strong ? 'solid' : method.dash },
      hovertemplate: `<b>${cell.name}, seed ${cell.seed}</b><br>step %{x}, t = %{customdata}<br>%{y:.3f}<extra></extra>`,
    });
  }
  const layout = frame(colours, {
    xaxis: { title: { text: 'step' }, range: [-0.5, view.timesteps.length - 0.5] },
    yaxis: { rangemode: 'tozero' },
  });
  return { data, layout };
}

function curveRows(self) {
  const { view, signal } = self;
  return view.cells.flatMap((cell) =>
    (cell.trace[signal] ?? []).map((value, step) => ({ cell: cell.cell, method: cell.spec, seed: cell.seed, step, t: view.timesteps[step], [signal]: value })),
  );
}
