// How well each reading of the score tells memorized prompts from ordinary ones.

const root = element.querySelector('.mvt-root');
const figure = makeFigure('roc', 'How well does the score tell?', props.plotly_path);
root.replaceChildren(figure.node);

function rocOf(readings, colours) {
  const lines = readings.map(({ name, roc }, i) => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x: roc.fpr,
    y: roc.tpr,
    line: { color: colours.method({ color: i % 7 }), width: 2.5, dash: ['solid', 'dash', 'dot'][i % 3] },
    hovertemplate: `<b>${name}</b><br>false positives %{x:.2f}, true positives %{y:.2f}<extra></extra>`,
  }));
  const chance = { type: 'scatter', mode: 'lines', x: [0, 1], y: [0, 1], hoverinfo: 'skip', showlegend: false, line: { color: colours.rule, width: 1 } };
  const axis = (text) => ({ title: { text }, range: [-0.02, 1.02] });
  const layout = frame(colours, { xaxis: axis('false positive rate'), yaxis: axis('true positive rate'), showlegend: true });
  return { data: [chance, ...lines], layout };
}

function draw(view) {
  const readings = view?.readings ?? [];
  figure.node.hidden = !readings.length;
  if (!readings.length) return;
  figure.command = view.command;
  figure.rows = () => readings.flatMap(({ name, roc }) => roc.fpr.map((fpr, i) => ({ reading: name, fpr, tpr: roc.tpr[i] })));
  figure.say(readings.map(({ words }) => words).join(' '));
  figure.draw((colours) => rocOf(readings, colours));
}

watch('value', () => draw(props.value));
draw(props.value);
