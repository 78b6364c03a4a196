// The share of attention on each token of the prompt, step by step, of the chosen picture.

function makeAttention(plotlyPath) {
  const figure = makeFigure('attention', 'Attention on each token', plotlyPath);
  const self = { ...figure };
  self.draw = (view, selected) => {
    const rows = view.attention?.[selected];
    figure.node.hidden = !rows?.length;
    if (figure.node.hidden) return;
    const cell = view.cells[selected];
    const names = [...cell.tokens, 'padding'];
    figure.command = view.command;
    figure.rows = () => rows.map((shares, step) => ({ step, t: view.timesteps[step], ...columns(names, shares) }));
    figure.say(`${cell.name}, seed ${cell.seed}: the share of cross-attention on each token, all padding as one. Memorized prompts keep looking at the padding and the end token.`);
    figure.plot.style.height = `${Math.min(720, 90 + 22 * names.length)}px`;
    figure.draw((colours) => attentionOf(names, rows, colours));
  };
  return self;
}

// Tokens may repeat, so that each carries its place.
function columns(names, shares) {
  return Object.fromEntries(names.map((name, i) => [`${i} ${name}`, shares[i]]));
}

function attentionOf(names, rows, colours) {
  const dark = document.body.classList.contains('dark');
  const places = names.map((_, i) => i);
  const map = {
    type: 'heatmap',
    y: places,
    z: places.map((i) => rows.map((shares) => shares[i])),
    colorscale: dark ? SCALES.dark : SCALES.light,
    colorbar: { thickness: 10, outlinewidth: 0, title: { text: 'share', side: 'right' } },
    customdata: names.map((name) => rows.map(() => name)),
    hovertemplate: '%{customdata}<br>step %{x}: %{z:.3f}<extra></extra>',
  };
  const yaxis = { tickvals: places, ticktext: names, autorange: 'reversed', showgrid: false };
  return { data: [map], layout: frame(colours, { xaxis: { title: { text: 'step' }, showgrid: false }, yaxis }) };
}
