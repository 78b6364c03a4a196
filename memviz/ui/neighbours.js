// The Neighbours tab: pairs or groups of one search, all of it in the browser. Parts of dom.js and pair.js are shared.

const PER_PAGE = 12;
const SORTS = {
  'Most alike first': (a, b) => b.similarity - a.similarity,
  'Least alike first': (a, b) => a.similarity - b.similarity,
  'Largest lead over the next': (a, b) => lead(b) - lead(a),
  'By name': (a, b) => nameOf(a.picture).localeCompare(nameOf(b.picture), undefined, { numeric: true }),
};
const state = { view: null, page: 0, sort: 'Most alike first', least: 0, kind: 'all' };
const root = element.querySelector('.mv-root');
const dialog = makeDialog();
root.append(dialog.node);
const body = h('div', { class: 'mv-neighbours' });
root.prepend(body);
// Small pictures are enlarged with hard pixels, as they are.
root.addEventListener('load', (event) => event.target.classList.toggle('mv-crisp', event.target.naturalWidth <= 96), true);

function draw(view) {
  if (!view || view === state.view) return;
  Object.assign(state, { view, page: 0, least: 0, kind: 'all' });
  if (!view.kind) return body.replaceChildren(h('p', { class: 'mv-opening' }, view.note ?? ''));
  const shown = view.kind === 'groups' ? groupsParts(view) : pairsParts(view);
  body.replaceChildren(header(view), ...shown);
}

function header(view) {
  const title = h('h2', { class: 'mv-result', 'aria-live': 'polite' }, view.headline);
  return h('header', {}, title, h('p', { class: 'mv-soft' }, view.facts));
}

// ---- pairs -----------------------------------------------------------------------------------

function pairsParts(view) {
  const list = h('div', { class: 'mv-pairs' });
  const pager = h('nav', { class: 'mv-pager', 'aria-label': 'Pages' });
  const update = () => fill(view, list, pager, update);
  const parts = [histogram(view), toolbar(view, update), list, pager, details(view)];
  update();
  return parts;
}

function toolbar(view, update) {
  const change = (name, value) => {
    Object.assign(state, { [name]: value, page: 0 });
    update();
  };
  const kinds = ['all', ...new Set(view.pairs.map((pair) => pair.verdict.split(' among ')[0]))];
  const sort = select('Order', Object.keys(SORTS), state.sort, (value) => change('sort', value));
  const kind = select('Verdict', kinds, 'all', (value) => change('kind', value));
  const value = h('output', {}, '0.00');
  const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01, value: 0, 'aria-label': 'Least similarity shown' });
  range.addEventListener('input', () => {
    value.textContent = Number(range.value).toFixed(2);
    change('least', Number(range.value));
  });
  const least = h('label', { class: 'mv-least' }, 'Similarity from ', value, range);
  const csv = h('button', { type: 'button', class: 'mv-button', onclick: () => save(view) }, 'Save as CSV');
  const links = Object.entries(view.files).map(([name, path]) =>
    h('a', { class: 'mv-button', href: address(view.base + path), target: '_blank', rel: 'noopener' }, name),
  );
  const many = view.pairs.length > 1;
  return h('div', { class: 'mv-tools' }, ...(many ? [sort, kind, least] : []), csv, ...links);
}

function select(label, options, chosen, change) {
  const node = h('select', {}, ...options.map((o) => h('option', { value: o, selected: o === chosen }, o)));
  node.addEventListener('change', () => change(node.value));
  return h('label', {}, `${label} `, node);
}

function chosen(view) {
  const { kind, least, sort } = state;
  const kept = view.pairs.filter((p) => (p.similarity >= least || least === 0) && (kind === 'all' || p.verdict.startsWith(kind)));
  return kept.sort(SORTS[sort]);
}

function fill(view, list, pager, update) {
  const kept = chosen(view);
  const alone = view.pairs.length === 1;
  const make = (pair, place) => (alone ? wide(view, pair) : card(view, pair, kept, place));
  turn(kept, make, list, pager, update, 'pairs');
  if (!kept.length) list.replaceChildren(h('p', {}, 'No pair is left: lower the least similarity.'));
  if (alone) pager.replaceChildren();
}

// One page of many things, and the buttons to the others.
function turn(things, make, list, pager, update, name) {
  const pages = Math.max(1, Math.ceil(things.length / PER_PAGE));
  state.page = Math.min(state.page, pages - 1);
  const start = state.page * PER_PAGE;
  list.replaceChildren(...things.slice(start, start + PER_PAGE).map((thing, i) => make(thing, start + i)));
  const step = (by) => {
    state.page += by;
    update();
    list.scrollIntoView({ block: 'start' });
  };
  const button = (text, by, off) => h('button', { type: 'button', class: 'mv-button', disabled: off, onclick: () => step(by) }, text);
  const where = h('span', { role: 'status' }, `${things.length} ${name}, page ${state.page + 1} of ${pages}`);
  const parts = [button('Previous', -1, state.page === 0), where, button('Next', 1, state.page + 1 >= pages)];
  pager.replaceChildren(...(pages > 1 ? parts : [where]));
}

function card(view, pair, kept, place) {
  const open = h('button', { type: 'button', class: 'mv-twins', 'aria-label': `Compare ${nameOf(pair.picture)} with its nearest image` });
  open.append(picture(view, pair.yours, 'Yours'), picture(view, pair.theirs, 'Theirs'));
  open.addEventListener('click', () => dialog.open(view, kept, place));
  const top = pair.matches[0];
  const score = h('p', { class: 'mv-score' }, chip(pair.verdict), ' ', h('b', {}, say(pair.similarity)));
  const next = pair.next_similarity === null ? '' : `next ${say(pair.next_similarity)}`;
  return h(
    'article',
    { class: 'mv-cell' },
    open,
    score,
    h('p', { class: 'mv-soft mv-line' }, `${nameOf(pair.picture)} · #${top.id} · ${next}`),
    captions(pair, top),
  );
}

function picture(view, file, alt) {
  return h('img', { src: address(view.base + file), alt, loading: 'lazy' });
}

function captions(pair, top) {
  const own = pair.prompt && h('p', {}, h('span', { class: 'mv-soft' }, 'yours '), marked(pair.prompt, pair.shared));
  const theirs = top.caption && h('p', {}, h('span', { class: 'mv-soft' }, 'theirs '), marked(top.caption, pair.shared));
  return h('div', { class: 'mv-captions' }, own || null, theirs || null);
}

// Captions are text: only the marks are elements.
function marked(text, words) {
  const parts = text.split(/([\p{L}\p{N}_]+)/u).map((part) => (words.includes(part.toLowerCase()) ? h('mark', {}, part) : part));
  return h('span', {}, ...parts);
}

// ---- one pair at full size -------------------------------------------------------------------

function wide(view, pair) {
  const [mine, theirs] = [address(view.base + pair.yours), address(view.base + pair.theirs)];
  const top = pair.matches[0];
  const name = `Training image #${top.id}`;
  const looks = { tile: 512 };
  const four = h(
    'div',
    { class: 'mv-four' },
    figure('Yours', mine, pair.prompt || nameOf(pair.picture), looks),
    figure(name, theirs, top.caption || nameOf(top.path), looks),
    slider(mine, theirs, name, looks),
    difference(mine, theirs, looks),
  );
  const reason = h('p', {}, chip(pair.verdict), ` ${pair.reason}`);
  return h('section', { class: 'mv-wide' }, reason, four, pair.prompt ? captions(pair, top) : null, facts(pair), others(view, pair));
}

function facts(pair) {
  const [agree, of] = pair.seeds_agree;
  const rows = [
    ['Similarity', `${say(pair.similarity, 3)} (1 = the same picture)`],
    ['Next match', pair.next_similarity === null ? null : `${say(pair.next_similarity, 3)}: a wide gap means a copy of this one image, not a common motif`],
    ['Seeds', of > 1 ? `${agree} of ${of} pictures of this prompt copy this image` : null],
    ['Captions', pair.caption_overlap === null ? null : `${Math.round(100 * pair.caption_overlap)} % of their words are shared`],
    ['File', pair.picture],
  ];
  const list = h('dl', { class: 'mv-facts' });
  for (const [label, value] of rows) if (value) list.append(h('dt', {}, label), h('dd', {}, value));
  return list;
}

function others(view, pair) {
  const rest = pair.matches.slice(1);
  if (!rest.length) return null;
  const items = rest.map((match) =>
    h('li', {}, match.picture && picture(view, match.picture, ''), h('b', {}, say(match.similarity)), h('span', {}, `#${match.id} ${match.caption}`)),
  );
  return h('section', {}, h('h3', {}, 'Next nearest training images'), h('ul', { class: 'mv-next' }, ...items));
}

function makeDialog() {
  const inside = h('div', { class: 'mv-pairbody' });
  const title = h('h2', { id: 'mv-neartitle', tabindex: -1, autofocus: true });
  const [before, after, close] = ['Previous', 'Next', 'Close'].map((t) => h('button', { type: 'button', class: 'mv-button' }, t));
  const bar = h('div', { class: 'mv-pairbar' }, title, before, after, close);
  const node = h('dialog', { class: 'mv-dialog', 'aria-labelledby': 'mv-neartitle' }, bar, inside);
  close.onclick = () => node.close();
  const open = (view, kept, place) => {
    const go = (by) => open(view, kept, (place + by + kept.length) % kept.length);
    before.onclick = () => go(-1);
    after.onclick = () => go(1);
    title.textContent = `${nameOf(kept[place].picture)}, ${place + 1} of ${kept.length}`;
    inside.replaceChildren(wide(view, kept[place]));
    if (!node.open) node.showModal();
    node.scrollTop = 0;
  };
  return { node, open };
}

// ---- groups, details, export -----------------------------------------------------------------

function groupsParts(view) {
  const list = h('ul', { class: 'mv-groups' });
  const pager = h('nav', { class: 'mv-pager', 'aria-label': 'Pages' });
  const update = () => turn(view.shown, (group) => groupNode(view, group), list, pager, update, 'groups');
  update();
  return [list, pager];
}

function groupNode(view, group) {
  const pictures = group.members.map((m) => h('figure', {}, picture(view, m.picture, ''), h('figcaption', {}, `#${m.id} ${m.caption}`)));
  return h('li', { class: 'mv-cell' }, h('h3', {}, `${group.count} times`), h('div', { class: 'mv-members' }, ...pictures));
}

function details(view) {
  const list = h('dl', { class: 'mv-facts' });
  for (const [name, value] of view.details) list.append(h('dt', {}, name), h('dd', {}, value));
  const unread = view.unreadable.map((row) => h('li', {}, `${row.picture}: ${row.problem}`));
  const parts = [h('summary', {}, 'How these scores were made'), list];
  if (unread.length) parts.push(h('h3', {}, 'Not read'), h('ul', {}, ...unread));
  return h('details', { class: 'mv-details' }, ...parts);
}

function save(view) {
  const head = ['picture', 'prompt', 'verdict', 'similarity', 'next_similarity', 'id', 'caption', 'path'];
  const rows = chosen(view).map((p) => [p.picture, p.prompt, p.verdict, p.similarity, p.next_similarity, p.matches[0].id, p.matches[0].caption, p.matches[0].path]);
  const text = [head, ...rows].map((row) => row.map(quoted).join(',')).join('\r\n');
  const link = h('a', { href: URL.createObjectURL(new Blob([text], { type: 'text/csv' })), download: 'pairs.csv' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A leading = + - @ would be a formula to a spreadsheet.
function quoted(value) {
  const text = `${value ?? ''}`.replaceAll('"', '""');
  return typeof value === 'string' ? `"${/^[=+\-@]/.test(text) ? `'${text}` : text}"` : text;
}

function lead(pair) {
  return pair.similarity - (pair.next_similarity ?? 0);
}

function nameOf(path) {
  return path.split(/[\\/]/).pop();
}

watch('value', () => draw(props.value));
draw(props.value);
