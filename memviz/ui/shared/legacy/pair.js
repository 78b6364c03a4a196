// The pair view: a generated picture beside its nearest training image, one over the other, and their difference.

const BRIGHTER = 3;

function makePair(actions) {
  const body = h('div', { class: 'mv-pairbody' });
  const close = h('button', { type: 'button', class: 'mv-button', onclick: () => node.close() }, 'Close');
  const before = h('button', { type: 'button', class: 'mv-button' }, 'Previous');
  const after = h('button', { type: 'button', class: 'mv-button' }, 'Next');
  const title = h('h2', { id: 'mv-pairtitle', tabindex: -1, autofocus: true });
  const bar = h('div', { class: 'mv-pairbar' }, title, before, after, close);
  const node = h('dialog', { class: 'mv-dialog', 'aria-labelledby': 'mv-pairtitle' }, bar, body);
  node.addEventListener('click', (event) => event.target === node && node.close());
  node.addEventListener('close', () => actions.closed());

  const open = (view, number) => {
    const ready = view.cells.filter((cell) => cell.image && cell.state === 'done');
    const place = ready.findIndex((cell) => cell.cell === number);
    if (place < 0) return;
    const go = (by) => open(view, ready[(place + by + ready.length) % ready.length].cell);
    before.onclick = () => go(-1);
    after.onclick = () => go(1);
    title.textContent = pairTitle(view, ready[place]);
    body.replaceChildren(...pairParts(view, ready[place]));
    actions.opened(number);
    if (!node.open) node.showModal();
    body.scrollTop = 0;
  };
  return { node, open };
}

function pairTitle(view, cell) {
  return `${view.methods[cell.method]?.label ?? cell.method}, seed ${cell.seed}`;
}

function pairParts(view, cell) {
  const made = address(view.base + cell.image);
  if (!cell.match) {
    const none = h('p', {}, 'This run was made without a search for training images.');
    return [none, figure('Generated', made, cell.prompt, view)];
  }
  const train = address(view.base + cell.match.image);
  const name = `Training image #${cell.match.id}`;
  const pictures = h(
    'div',
    { class: 'mv-four' },
    figure('Generated', made, `from “${cell.prompt}”`, view),
    figure(name, train, `captioned “${cell.match.caption}”`, view),
    slider(made, train, name, view),
    difference(made, train, view),
  );
  return [verdictNode(cell), pictures, nextMatches(view, cell), numbers(view, cell)];
}

function verdictNode(cell) {
  const line = h('p', { class: 'mv-pairverdict' }, chip(cell.verdict), ` ${cell.reason ?? ''}`);
  const signal = cell.prompt_signal;
  if (!signal) return line;
  const about = h('p', { class: 'mv-soft' }, h('b', {}, `Prompt: ${signal.word.toLowerCase()}. `), signal.reason ?? '');
  return h('div', {}, line, about);
}

function figure(label, src, caption, view) {
  const image = h('img', { src, alt: `${label}: ${caption}`, class: tiny(view) });
  const text = h('figcaption', {}, h('b', {}, label), h('span', {}, caption));
  return h('figure', {}, h('div', { class: 'mv-square' }, image), text);
}

function tiny(view) {
  return view.tile <= 96 ? 'mv-crisp' : '';
}

// Left of the handle is the generated picture, or the one that `view.mine` names; right of it the training image.
function slider(made, train, name, view) {
  const mine = view.mine ?? 'generated';
  const top = h('img', { src: made, alt: '', class: `mv-over ${tiny(view)}` });
  const under = h('img', { src: train, alt: '', class: tiny(view) });
  const edge = h('div', { class: 'mv-edge' });
  const label = `Share of ${mine} shown over ${name.toLowerCase()}`;
  const range = h('input', { type: 'range', min: 0, max: 100, value: 50, 'aria-label': label });
  const move = () => {
    top.style.clipPath = `inset(0 ${100 - range.value}% 0 0)`;
    edge.style.left = `${range.value}%`;
    range.setAttribute('aria-valuetext', `${range.value} % ${mine}`);
  };
  range.addEventListener('input', move);
  move();
  const box = h('div', { class: 'mv-square mv-slide' }, under, top, edge, range);
  const text = `Drag: ${mine} on the left, ${name.toLowerCase()} on the right`;
  return h('figure', {}, box, h('figcaption', {}, h('b', {}, 'One over the other'), h('span', {}, text)));
}

function difference(made, train, view) {
  const canvas = h('canvas', { class: tiny(view), role: 'img', 'aria-label': 'Difference of the two' });
  const text = h('span', {}, 'black where they agree');
  Promise.all([decoded(made), decoded(train)]).then(([a, b]) => {
    const mean = paintDifference(canvas, a, b);
    text.textContent = `${mean.toFixed(0)} of 255 on average; black where they agree, shown ${BRIGHTER} times brighter`;
  });
  const caption = h('figcaption', {}, h('b', {}, 'Difference'), text);
  return h('figure', {}, h('div', { class: 'mv-square' }, canvas), caption);
}

async function decoded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

function pixels(image, width, height) {
  const canvas = h('canvas', { width, height });
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  paint.drawImage(image, 0, 0, width, height); // the training image is brought to the same size
  return paint.getImageData(0, 0, width, height);
}

function paintDifference(canvas, a, b) {
  const [width, height] = [a.naturalWidth, a.naturalHeight];
  const [one, two] = [pixels(a, width, height), pixels(b, width, height)];
  let total = 0;
  for (let i = 0; i < one.data.length; i += 1) {
    if (i % 4 === 3) continue;
    const gap = Math.abs(one.data[i] - two.data[i]);
    one.data[i] = gap * BRIGHTER;
    total += gap;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d').putImageData(one, 0, 0);
  return total / (width * height * 3);
}

function nextMatches(view, cell) {
  const rest = cell.matches.filter((match) => match.id !== cell.match.id);
  if (!rest.length) return h('div');
  const items = rest.map((match) => {
    const image = h('img', { src: address(view.base + match.image), alt: '', class: tiny(view) });
    const score = h('b', {}, say(match.similarity));
    const text = h('span', {}, `#${match.id} ${match.caption}`);
    return h('li', {}, image, score, text);
  });
  return h('section', {}, h('h3', {}, 'Next nearest training images'), h('ul', { class: 'mv-next' }, ...items));
}

function numbers(view, cell) {
  const rows = [
    ['Method', cell.spec],
    ['Guidance', cell.where],
    ['Similarity', `${say(cell.similarity, 3)} (1 = the same picture)`],
    ['Prompt alignment', cell.alignment === null ? null : say(cell.alignment, 3)],
    ['Marks', marksText(view.thresholds)],
  ];
  const list = h('dl', { class: 'mv-facts' });
  for (const [label, value] of rows) if (value) list.append(h('dt', {}, label), h('dd', {}, value));
  return h('section', {}, h('h3', {}, 'Numbers'), list);
}

function marksText(marks) {
  if (!marks.copied) return null;
  return `copied from ${marks.copied}, close from ${marks.close}${marks.source ? ` (${marks.source})` : ''}`;
}
