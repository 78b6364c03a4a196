// One signal along the steps, with its band, and a handle that moves the transition.

import { button, h } from '../shared/dom.js';
import { makeFigure, smallButton } from '../shared/figure.js';
import { bandTraces, baseLayout } from '../shared/plot.js';

/**
 * @typedef {import('../views').TransitionView} View
 * @typedef {import('../views').TransitionCell} Cell
 * @typedef {import('../shared/plot.js').Palette} Palette
 * @typedef {import('../shared/plot.js').Trace} Trace
 */

/**
 * @param {AbortSignal} lifetime
 * @param {{ rerun: (request: { run: string, cell: number, at: number }) => void }} actions
 */
export function makeWhatIf(lifetime, actions) {
  /** @type {View} */
  let view = {};
  let signal = 'magnitude';
  let selected = 0;
  let step = 0;
  let moved = false; // by hand: from then on it stays there

  const place = () => {
    const axis = figure.plot._fullLayout?.xaxis;
    handle.hidden = !axis || !view.id;
    if (axis) handle.style.transform = `translateX(${axis._offset + axis.l2p(step)}px)`;
  };
  const title = 'What if the transition came elsewhere?';
  const figure = makeFigure('signal', title, lifetime, { after: place });
  const pickSignal = h('select', { class: 'mvt-select', 'aria-label': 'Signal' });
  const unit = h('p', { class: 'mv-soft mvt-formula' });
  const looks = { class: 'mvt-handle', role: 'slider', tabindex: '0', 'aria-label': 'Transition' };
  const handle = h('div', { ...looks, hidden: true }, h('span', {}));
  const readout = h('p', { class: 'mvt-readout', 'aria-live': 'polite' });
  const rerun = button('Re-run from here', { class: 'mv-button mvt-rerun' });
  const others = h('ul', { class: 'mvt-switches' });
  figure.tools.append(pickSignal);
  figure.box.append(handle);
  figure.node.append(unit, h('div', { class: 'mvt-ask' }, readout, rerun), others);

  const timesteps = () => view.timesteps ?? [];
  const describe = () => {
    const t = timesteps()[step];
    handle.setAttribute('aria-valuemin', '0');
    handle.setAttribute('aria-valuemax', String(timesteps().length - 1));
    handle.setAttribute('aria-valuenow', String(step));
    handle.setAttribute('aria-valuetext', `step ${step}, t = ${t}`);
    const cell = view.cells?.[selected];
    const words = cell ? handleWords(cell, Boolean(view.live)) : '';
    readout.textContent = `Transition at step ${step} (t = ${t}). ${words}`;
    others.replaceChildren(...switchItems(view.switches?.[selected] ?? {}, timesteps(), put));
  };
  /** @param {number} next */
  const move = (next) => {
    step = Math.max(0, Math.min(timesteps().length - 1, Math.round(next)));
    place();
    describe();
  };
  /** @param {number} next */
  function put(next) {
    moved = true;
    move(next);
  }
  handle.addEventListener('pointerdown', (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener('pointermove', (event) => {
    const axis = figure.plot._fullLayout?.xaxis;
    if (!axis || !handle.hasPointerCapture(event.pointerId)) return;
    const left = figure.plot.getBoundingClientRect().left;
    put(axis.p2l(event.clientX - left - axis._offset));
  });
  handle.addEventListener('keydown', (event) => {
    /** @type {Record<string, number | undefined>} */
    const steps = {
      ArrowLeft: step - 1,
      ArrowRight: step + 1,
      PageDown: step - 5,
      PageUp: step + 5,
      Home: 0,
      End: timesteps().length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    put(next);
  });
  rerun.addEventListener('click', () => {
    if (view.id) actions.rerun({ run: view.id, cell: selected, at: timesteps()[step] });
  });
  pickSignal.addEventListener('change', () => {
    signal = pickSignal.value;
    redraw();
  });

  const redraw = () => {
    const { cells, signals = {}, bands = {} } = view;
    if (!cells?.length) return;
    unit.textContent = signalWords(signals[signal]);
    const label = signals[signal]?.label ?? signal;
    const dashed = findProbe(cells, selected, signal)
      ? ' Dashed: the probe, the same seed under plain guidance.'
      : '';
    const how = signal === 'similarity' ? ` ${view.decoder_note ?? ''}` : '';
    const band = bandWords(Boolean(bands[signal]), view.band_note ?? '');
    figure.describe(`${label} of ${cells.length} pictures. ${band}${dashed}${how}`);
    figure.source.rows = () => curveRows(cells, signal, timesteps());
    figure.draw((colors) => drawSignal(view, cells, signal, selected, colors));
  };
  /**
   * @param {View} next
   * @param {number} number
   */
  const draw = (next, number) => {
    const fresh = view.id !== next.id;
    view = next;
    const keys = Object.keys(view.signals ?? {});
    figure.node.hidden = !view.cells?.length || !keys.length;
    if (figure.node.hidden) return;
    figure.source.command = view.command ?? '';
    if (!keys.includes(signal)) signal = keys[0];
    const options = Object.entries(view.signals ?? {}).map(([value, { label }]) =>
      h('option', { value, selected: value === signal }, label),
    );
    pickSignal.replaceChildren(...options);
    rerun.disabled = Boolean(view.live);
    if (fresh || !moved) select(number);
    else {
      redraw();
      describe();
    }
  };
  /** @param {number} number */
  const select = (number) => {
    selected = number;
    moved = false;
    move(view.cells?.[number]?.transition_step ?? 0);
    redraw();
  };
  return { node: figure.node, draw, select };
}

/** @param {import('../views').SignalAbout | undefined} about */
function signalWords(about) {
  if (!about) return '';
  const formula = about.formula ? `${about.formula}. ` : '';
  return `${formula}High: ${about.high}. Low: ${about.low}. ${about.source}`;
}

/**
 * @param {Cell} cell
 * @param {boolean} live
 */
function handleWords(cell, live) {
  const was = cell.transition_step;
  const own = Number.isInteger(was) ? `it switched at step ${was}` : 'it never switched';
  let kept = 'its latents were not kept, so the picture is made afresh';
  if (cell.kept_bytes) kept = `its latents are kept (${(cell.kept_bytes / 1024).toFixed(0)} kB)`;
  if (live) kept = 'it is not finished';
  return `Chosen picture: ${cell.name}, seed ${cell.seed}; ${own}; ${kept}.`;
}

/**
 * The same prompt and seed under plain guidance, if the run has it and it is not the chosen one.
 * @param {Cell[]} cells
 * @param {number} selected
 * @param {string} signal
 */
function findProbe(cells, selected, signal) {
  const chosen = cells[selected];
  return cells.find(
    (cell) =>
      cell !== chosen &&
      cell.method === 'cfg' &&
      cell.prompt === chosen?.prompt &&
      cell.seed === chosen.seed &&
      cell.trace[signal],
  );
}

/**
 * Where each method would have switched.
 * @param {Record<string, number | null>} switches
 * @param {number[]} timesteps
 * @param {(step: number) => void} put
 */
function switchItems(switches, timesteps, put) {
  return Object.entries(switches).map(([key, step]) => {
    const node = smallButton(key.toUpperCase(), () => step !== null && put(step));
    node.disabled = step === null;
    const where =
      step === null ? 'would not switch' : `would switch at step ${step} (t = ${timesteps[step]})`;
    return h('li', {}, node, h('span', {}, `${where} on this trace`));
  });
}

/**
 * @param {boolean} known
 * @param {string} note
 */
function bandWords(known, note) {
  if (known) return `Behind them: where 90 % of ordinary prompts lie. ${note}`;
  return note || 'No band of ordinary prompts is known for this signal.';
}

/**
 * @param {View} view
 * @param {Cell[]} cells
 * @param {string} signal
 * @param {number} selected
 * @param {Palette} colors
 */
function drawSignal({ bands = {}, methods = {}, timesteps = [] }, cells, signal, selected, colors) {
  const probe = findProbe(cells, selected, signal);
  const order = [...cells].sort(
    (a, b) => Number(a.cell === selected) - Number(b.cell === selected),
  );
  const traces = order.flatMap((cell) => {
    const y = cell.trace[signal];
    if (!y) return [];
    const strong = cell.cell === selected;
    const method = methods[cell.method] ?? { color: 0, dash: 'solid' };
    const trace = {
      type: 'scatter',
      mode: 'lines',
      x: y.map((_, i) => i),
      y,
      customdata: timesteps,
      opacity: strong ? 1 : 0.35,
      line: {
        color: colors.method(method),
        width: strong ? 3 : 1.2,
        dash: strong ? 'solid' : method.dash,
      },
      hovertemplate:
        `<b>${cell.name}, seed ${cell.seed}</b><br>step %{x}, t = %{customdata}<br>` +
        '%{y:.3f}<extra></extra>',
    };
    return [trace];
  });
  const plain = probe ? [probeTrace(probe, signal, colors)] : [];
  const layout = baseLayout(colors, {
    xaxis: { title: { text: 'step' }, range: [-0.5, timesteps.length - 0.5] },
    yaxis: { rangemode: 'tozero' },
  });
  return { data: [...bandTraces(bands[signal], colors), ...plain, ...traces], layout };
}

/**
 * @param {Cell} cell
 * @param {string} signal
 * @param {Palette} colors
 * @returns {Trace}
 */
function probeTrace(cell, signal, colors) {
  const y = cell.trace[signal] ?? [];
  return {
    type: 'scatter',
    mode: 'lines',
    x: y.map((_, i) => i),
    y,
    line: { color: colors.text, width: 2, dash: 'dash' },
    hovertemplate:
      `<b>Probe: plain guidance, seed ${cell.seed}</b><br>step %{x}<br>` +
      '%{y:.3f}<extra></extra>',
  };
}

/**
 * @param {Cell[]} cells
 * @param {string} signal
 * @param {number[]} timesteps
 */
function curveRows(cells, signal, timesteps) {
  return cells.flatMap(({ cell, spec, seed, trace }) =>
    (trace[signal] ?? []).map((value, step) => ({
      cell,
      method: spec,
      seed,
      step,
      t: timesteps[step],
      [signal]: value,
    })),
  );
}
