// The same numbers without a picture: a table of one cell's steps, and all of them as CSV.

const COLUMNS = ['step', 't', 'magnitude', 'scale', 'similarity', 'nearest'];

function makeTable(current) {
  const head = h('tr', {}, ...COLUMNS.map((name) => h('th', { scope: 'col' }, name)));
  const body = h('tbody');
  const title = h('caption');
  const table = h('table', {}, title, h('thead', {}, head), body);
  const copy = h('button', { type: 'button', class: 'mv-button' }, 'Copy all as CSV');
  copy.addEventListener('click', () => copyText(csv(current().view), copy));
  const scroll = h('div', { class: 'mv-scroll', tabindex: 0, role: 'region' }, table);
  scroll.setAttribute('aria-label', 'Numbers of each step');
  const node = h('details', { class: 'mv-details' }, h('summary', {}, 'The numbers'), copy, scroll);

  const self = { node };
  self.fill = () => {
    if (!node.open) return;
    const { view, selected, step } = current();
    const cell = view.cells[selected];
    title.textContent = `${who(view, cell)} (point at another picture to see its numbers)`;
    body.replaceChildren(...rows(view, cell).map((row) => tableRow(row, step)));
  };
  self.mark = (step) => {
    if (!node.open) return;
    for (const [index, row] of [...body.rows].entries()) row.classList.toggle('mv-on', index === step);
  };
  node.addEventListener('toggle', self.fill);
  return self;
}

function tableRow(row, step) {
  const cells = row.map((value) => h('td', {}, shown(value)));
  return h('tr', { class: row[0] === step ? 'mv-on' : null }, ...cells);
}

function shown(value) {
  if (value === null || value === undefined) return '';
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

function rows(view, cell) {
  const { magnitude, scale, similarity, nearest } = cell.trace;
  return magnitude.map((value, step) => [
    step,
    view.timesteps[step],
    value,
    scale[step],
    similarity[step],
    nearest[step],
  ]);
}

function csv(view) {
  const lines = view.cells.flatMap((cell) =>
    rows(view, cell).map((row) => [cell.cell, cell.method, cell.seed, ...row].map((v) => v ?? '')),
  );
  return [['cell', 'method', 'seed', ...COLUMNS], ...lines].map((row) => row.join(',')).join('\n');
}
