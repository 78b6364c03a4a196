// The Transition tab: one run, four figures, one chosen picture. `element`, `props`, `watch` and
// `trigger` come from gr.HTML.

const root = element.querySelector('.mvt-root');
const state = { view: null, selected: 0 };
const actions = {
  select: (number) => choose(number),
  peek: (number) => showPicture(number ?? state.selected),
  rerun: (asked) => trigger('submit', asked),
};
const map = makeMap(props.plotly_path, actions);
const pictures = makePictures(actions);
const whatIf = makeWhatIf(props.plotly_path, actions);
const attentionFigure = makeAttention(props.plotly_path);
const spreadFigure = makeSpread(props.plotly_path, actions);
const tradeoffFigure = makeTradeoff(props.plotly_path);
const picture = h('figure', { class: 'mvt-picture', hidden: true });
const rerunNode = h('figure', { class: 'mvt-picture mvt-again', hidden: true, 'aria-live': 'polite' });
const side = h('aside', { class: 'mvt-side', 'aria-label': 'Chosen picture' }, picture, rerunNode);
const empty = h('p', { class: 'mv-opening' }, 'Press Sweep to make one prompt at many transition points, or choose a saved run.');
root.replaceChildren(empty, h('div', { class: 'mvt-main' }, h('div', { class: 'mvt-figures' }, map.node, pictures.node, whatIf.node, attentionFigure.node, spreadFigure.node, tradeoffFigure.node), side));

function draw(view) {
  if (!view) return;
  state.view = view;
  const cells = view.cells ?? [];
  const fresh = state.id !== view.id;
  state.id = view.id;
  if (fresh) state.selected = view.sweep?.cells[0].find((number) => number !== null) ?? 0;
  empty.hidden = cells.length > 0;
  side.hidden = !cells.length;
  map.draw(view, state.selected);
  pictures.draw(view, state.selected);
  whatIf.draw({ timesteps: [], signals: {}, bands: {}, switches: {}, ...view }, state.selected);
  attentionFigure.draw({ cells: [], attention: {}, ...view }, state.selected);
  spreadFigure.draw({ thresholds: {}, ...view });
  tradeoffFigure.draw({ methods: {}, ...view });
  if (cells.length) showPicture(state.selected);
  showAgain(view.again);
}

function choose(number) {
  state.selected = number;
  map.select(number);
  pictures.select(number);
  whatIf.select(number);
  attentionFigure.draw(state.view, number);
  showPicture(number);
}

function showPicture(number) {
  const { view } = state;
  const cell = view?.cells?.[number];
  picture.hidden = !cell;
  if (!cell) return;
  fill(picture, view.base, cell, `${cell.name}, seed ${cell.seed}`, `?run=${view.id}&cell=${number}`);
}

function fill(node, base, cell, title, link) {
  const source = cell.image ? address(base + cell.image) : cell.preview;
  const image = source ? h('img', { src: source, alt: `${title}, ${cell.verdict ?? 'not finished'}` }) : h('p', {}, 'Not finished yet.');
  const numbers = `similarity ${say(cell.similarity)}, alignment ${say(cell.alignment)}, ${say(cell.evaluations, 0)} evaluations`;
  const caption = h('figcaption', {}, h('strong', {}, title), cell.verdict ? chip(cell.verdict) : null, h('p', {}, numbers), readNode(cell), h('a', { href: link }, 'Open this run in Compare'));
  if (cell.mask) caption.append(ending(base, cell, title));
  node.replaceChildren(image, caption);
}

function ending(base, cell, title) {
  const image = h('img', { src: address(base + cell.mask), alt: `Bright ending of ${title}`, class: 'mvt-ending' });
  return h('p', { class: 'mvt-mask' }, image, h('span', {}, 'Bright ending: where the last step looks at the end token. Bright parts of a memorized picture are the copied ones.'));
}

function showAgain(again) {
  rerunNode.hidden = !again;
  if (!again) return;
  fill(rerunNode, again.base, again, `Re-run: ${again.name}`, `?run=${again.id}`);
  const steps = state.view.timesteps.length;
  const how = again.kept ? `${again.taken} of ${steps} steps were taken from the stored run; the result is that of a fresh run.` : 'Made afresh, for the stored run kept no latents.';
  rerunNode.append(h('p', { class: 'mv-soft mvt-how' }, how));
}

watch('value', () => draw(props.value));
draw(props.value);
