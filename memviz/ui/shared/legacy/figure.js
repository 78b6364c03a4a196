// A titled figure with its sentence, its plot and its exports; shared by all figures of the tab.

function makeFigure(name, title, plotlyPath) {
  const words = h('p', { class: 'mv-soft mvt-words' });
  const plot = h('div', { class: 'mvt-plot', id: `mvt-${name}` });
  const box = h('div', { class: 'mvt-box' }, plot);
  const tools = h('div', { class: 'mvt-tools' });
  const head = h('h3', { id: `mvt-${name}-title` }, title);
  const node = h('section', { class: 'mvt-figure', 'aria-labelledby': head.id }, head, tools, words, box);
  const self = { name, node, head, words, plot, box, tools, drawn: null, command: '', rows: () => [] };
  const redraw = async () => {
    if (!self.drawn || !plot.clientWidth) return;
    const Plotly = await loadPlotly(plotlyPath);
    const { data, layout } = self.drawn(palette(node));
    const size = { width: plot.clientWidth, height: plot.clientHeight };
    await Plotly.react(plot, data, { ...layout, ...size }, CONFIG);
    self.after?.(plot);
  };
  self.draw = (drawn) => {
    self.drawn = drawn;
    return redraw();
  };
  self.say = (text) => {
    words.textContent = text;
    plot.setAttribute('role', 'img');
    plot.setAttribute('aria-label', text);
  };
  new ResizeObserver(redraw).observe(plot);
  new MutationObserver(redraw).observe(document.body, { attributeFilter: ['class'] });
  node.append(exportsOf(self));
  return self;
}

function exportsOf(self) {
  const button = (label, press) => {
    const node = h('button', { type: 'button', class: 'mvt-small' }, label);
    node.addEventListener('click', () => press(node));
    return node;
  };
  const picture = (format) => () =>
    window.Plotly?.downloadImage(self.plot, { format, filename: `memviz-${self.name}`, width: 1000, height: 600 });
  return h(
    'div',
    { class: 'mvt-exports', role: 'group', 'aria-label': 'Export' },
    button('PNG', picture('png')),
    button('SVG', picture('svg')),
    button('CSV', () => saveText(`memviz-${self.name}.csv`, csv(self.rows()))),
    button('Copy command', (node) => copyText(self.command, node)),
  );
}

function csv(rows) {
  if (!rows.length) return '';
  const names = Object.keys(rows[0]);
  const field = (value) => (/[",\n]/.test(String(value ?? '')) ? `"${String(value).replaceAll('"', '""')}"` : (value ?? ''));
  return [names, ...rows.map((row) => names.map((n) => row[n]))].map((line) => line.map(field).join(',')).join('\n');
}

function saveText(name, text) {
  const link = h('a', { href: URL.createObjectURL(new Blob([text], { type: 'text/csv' })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function choice(label, options, chosen, change) {
  const group = h('div', { class: 'mvt-choice', role: 'group', 'aria-label': label });
  for (const [key, text] of options) {
    const button = h('button', { type: 'button', class: 'mvt-small', 'aria-pressed': String(key === chosen) }, text);
    button.addEventListener('click', () => {
      for (const other of group.children) other.setAttribute('aria-pressed', String(other === button));
      change(key);
    });
    group.append(button);
  }
  return group;
}
