// What every plot of the page begins with: plotly once, its settings, its colours.

function loadPlotly(path) { // once for all plots of the page; after a failure the next one tries again
  return (window.mvPlotly ??= new Promise((resolve, reject) => {
    const failed = () => {
      window.mvPlotly = null;
      reject(new Error('plotly.js could not be loaded'));
    };
    const node = h('script', { src: address(path), onerror: failed });
    node.addEventListener('load', () => resolve(window.Plotly));
    document.head.append(node);
  }));
}

const CONFIG = {
  displaylogo: false,
  displayModeBar: false, // its buttons cannot be reached by keyboard; double click resets
  doubleClick: 'reset',
  responsive: false,
};

// The layout that every plot begins with; what is given goes before.
function frame(colours, { xaxis, yaxis, ...more } = {}) {
  const axis = quiet(colours);
  return {
    margin: { l: 48, r: 12, t: 8, b: 44 },
    font: { color: colours.soft, size: 12, family: 'inherit' },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    hoverlabel: { bgcolor: colours.paper, font: { color: colours.text } },
    hovermode: 'closest',
    showlegend: false,
    dragmode: false,
    xaxis: { ...axis, ...xaxis },
    yaxis: { ...axis, ...yaxis },
    ...more,
  };
}

function quiet(colours) {
  return { gridcolor: colours.rule, zeroline: false, tickcolor: colours.rule, automargin: true };
}

// A finger that drags scrolls the page.
function zooming() {
  return matchMedia('(pointer: coarse)').matches ? false : 'zoom';
}

function palette(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    text: read('--mv-text'),
    soft: read('--mv-soft'),
    rule: read('--mv-rule'),
    band: read('--mv-band'),
    paper: read('--mv-paper'),
    method: (m) => read(`--mv-c${m.color}`),
  };
}

// The range that ordinary prompts stay in, behind the magnitude.
function band(view, colours) {
  if (!view.band) return [];
  const x = view.band.low.map((_, step) => step);
  const base = { type: 'scatter', mode: 'lines', x, yaxis: 'y', hoverinfo: 'skip' };
  const edge = { ...base, line: { width: 0 } };
  return [
    { ...edge, y: view.band.low },
    { ...edge, y: view.band.high, fill: 'tonexty', fillcolor: colours.band },
  ];
}
