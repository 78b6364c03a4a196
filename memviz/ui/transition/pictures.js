// All pictures of a run that is no sweep: many seeds, or a prompt with and without a word.

function makePictures(actions) {
  const grid = h('div', { class: 'mvt-pictures' });
  const node = h('section', { class: 'mvt-figure', 'aria-label': 'Pictures' }, h('h3', {}, 'Pictures'), grid);
  const self = { node };
  self.select = (number) => [...grid.children].forEach((button, i) => button.setAttribute('aria-pressed', String(i === number)));
  self.draw = (view, selected) => {
    node.hidden = Boolean(view.sweep) || (view.cells?.length ?? 0) < 2;
    if (!node.hidden) grid.replaceChildren(...view.cells.map((cell) => one(view, cell, cell.cell === selected, actions)));
  };
  return self;
}

function one(view, cell, chosen, actions) {
  const source = cell.image ? address(view.base + cell.image) : cell.preview;
  const image = source ? h('img', { src: source, alt: '' }) : null;
  const prompt = cell.prompt === view.prompt ? null : h('q', {}, cell.prompt);
  const many = view.cells.some((other) => other.name !== cell.name);
  const words = h('span', {}, `${many ? `${cell.name}, ` : ''}seed ${cell.seed}: ${say(cell.similarity)}`);
  const button = h('button', { type: 'button', class: 'mvt-one', 'aria-pressed': String(chosen) }, image, words, prompt);
  if (cell.verdict) button.append(chip(cell.verdict));
  button.addEventListener('click', () => actions.select(cell.cell));
  return button;
}
