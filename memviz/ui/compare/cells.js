// One cell of the grid: the picture at the current step, the verdict, the nearest training image.

function makeCell(view, cell, actions) {
  const live = h('img', { class: 'mv-layer', alt: '', hidden: true });
  const final = h('img', { class: 'mv-layer', alt: '', hidden: true });
  const sheet = h('span', { class: 'mv-layer', hidden: true });
  const state = h('span', { class: 'mv-state' });
  const open = () => actions.open(cell.cell);
  const picture = h('button', { type: 'button', class: 'mv-pic' }, sheet, live, final, state);
  const caption = h('div', { class: 'mv-now' });
  const facts = h('div', { class: 'mv-cellfacts' });
  const name = h('div', { class: 'mv-name' });
  const node = h('article', { class: 'mv-cell' }, name, picture, caption, facts);
  node.classList.toggle('mv-tiny', view.tile <= 96);
  picture.addEventListener('click', open);
  picture.addEventListener('focus', () => actions.select(cell.cell));
  node.addEventListener('pointerenter', () => actions.select(cell.cell));
  const self = { node, picture, frames: [], rows: 0, sheetUrl: null, finalUrl: null };

  self.update = (nextView, nextCell) => {
    view = nextView;
    cell = nextCell;
    const method = view.methods[cell.method];
    const title = h('strong', { title: method?.label }, method?.short ?? cell.method);
    name.replaceChildren(method ? symbol(method) : '', title, ` seed ${cell.seed}`);
    if (cell.preview) self.frames[cell.trace.magnitude.length - 1] = cell.preview;
    if (!view.live) loadFiles(self, view, cell, { sheet, final }, () => self.show(self.step ?? 0));
    facts.replaceChildren(...cellFacts(view, cell, actions));
    state.textContent = stateWords(view, cell);
    picture.setAttribute('aria-label', pictureLabel(view, cell));
    picture.disabled = view.live || cell.state !== 'done' || !cell.image;
  };

  self.show = (step) => {
    self.step = step;
    const made = cell.trace.magnitude.length;
    const last = cell.state === 'done' && self.finalUrl && step >= made - 1;
    const tiled = !last && self.rows > 0;
    final.hidden = !last;
    sheet.hidden = !tiled;
    if (tiled) placeTile(sheet, view.columns, self.rows, Math.min(step, made - 1));
    const frame = last || tiled ? null : nearestFrame(self.frames, step);
    live.hidden = !frame;
    if (frame && live.src !== frame) live.src = frame;
    caption.textContent = nowWords(view, cell, Math.min(step, made - 1), last);
  };

  self.update(view, cell);
  return self;
}

// Two files per cell, fetched once: the sheet of all x0 estimates and the final picture.
function loadFiles(self, view, cell, { sheet, final }, done) {
  const sheetUrl = cell.sheet && address(view.base + cell.sheet);
  if (sheetUrl && self.sheetUrl !== sheetUrl) {
    self.sheetUrl = sheetUrl;
    keptHere(sheetUrl).then((kept) => {
      const probe = new Image();
      probe.onload = () => {
        self.rows = Math.max(1, Math.round(probe.naturalHeight / view.tile));
        sheet.style.backgroundImage = `url("${kept}")`;
        sheet.style.backgroundSize = `${view.columns * 100}% ${self.rows * 100}%`;
        done();
      };
      probe.src = kept;
    });
  }
  const finalUrl = cell.image && address(view.base + cell.image);
  if (finalUrl && self.finalUrl !== finalUrl) {
    final.onload = () => {
      self.finalUrl = finalUrl;
      done();
    };
    final.src = finalUrl;
  }
}

// A file held in the page: shown as often as one likes, it is never asked for again.
async function keptHere(url) {
  const answer = await fetch(url);
  return URL.createObjectURL(await answer.blob());
}

function placeTile(node, columns, rows, step) {
  const x = ((step % columns) / Math.max(1, columns - 1)) * 100;
  const y = (Math.floor(step / columns) / Math.max(1, rows - 1)) * 100;
  node.style.backgroundPosition = `${x}% ${y}%`;
}

function nearestFrame(frames, step) {
  for (let i = Math.min(step, frames.length - 1); i >= 0; i -= 1) if (frames[i]) return frames[i];
  return frames.find(Boolean) ?? null;
}

function nowWords(view, cell, step, last) {
  if (step < 0) return ' ';
  if (last) return 'final picture';
  const near = cell.trace.similarity[step];
  const id = cell.trace.nearest[step];
  const who = near === null || near === undefined ? '' : `, ${say(near)} to #${id}`;
  return `step ${step}${who}`;
}

function stateWords(view, cell) {
  if (cell.state === 'failed') return cell.error || 'This cell failed.';
  if (cell.state === 'waiting' && !cell.preview) return 'waiting';
  return '';
}

function pictureLabel(view, cell) {
  const name = `${who(view, cell)}.`;
  if (!cell.match) return `${name} ${cell.state === 'done' ? 'No match known.' : 'Not finished.'}`;
  const said = `${cell.verdict}, similarity ${say(cell.similarity)}.`;
  return `${name} ${said} Open beside training image ${cell.match.id}.`;
}

function cellFacts(view, cell, actions) {
  const where = switchNode(cell, actions);
  const read = readNode(cell);
  if (!cell.verdict) return [where, read].filter(Boolean);
  return [h('div', {}, chip(cell.verdict)), nearestNode(view, cell), where, read].filter(Boolean);
}

function nearestNode(view, cell) {
  if (!cell.match) return null;
  const src = address(view.base + cell.match.image);
  const image = h('img', { src, alt: '', class: 'mv-thumb', loading: 'lazy' });
  const score = h('b', { class: 'mv-score', title: '1 = the same picture' }, say(cell.similarity));
  const text = h('span', {}, score, ` similar to training image #${cell.match.id}`);
  return h('div', { class: 'mv-nearest', title: cell.match.caption }, image, text);
}

function switchNode(cell, actions) {
  if (cell.transition_step === null || cell.transition_step === undefined) {
    return h('div', { class: 'mv-where' }, cell.where ?? '');
  }
  const jump = () => actions.jump(cell.cell);
  const props = { type: 'button', class: 'mv-where mv-link', title: 'Go to this step', onclick: jump };
  return h('button', props, cell.where);
}
