// The Neighbours tab: pairs or groups of one search, all of it in the browser. Parts of dom.js and pair.js are shared.

const PER_PAGE = 12;
const SORTS = {
  'Most alike first': (a, b) => b.similarity - a.similarity,
  'Least alike first': (a, b) => a.similarity - b.similarity,
  'Largest lead over the next': (a, b) => lead(b) - lead(a),
  'By name': (a, b) => nameOf(a.picture).localeCompare(nameOf(b.picture), undefined, { numeric: true }),
};
const state = { view: null, ...PLAIN };
const root = element.querySelector('.mv-root');
const dialog = makeDialog();
root.append(dialog.node);
const body = h('div', { class: 'mv-neighbours' });
root.prepend(body);
// Small pictures are enlarged with hard pixels, as they are.
root.addEventListener('load', (event) => event.target.classList.toggle('mv-crisp', event.target.naturalWidth <= 96), true);

function draw(view) {
  if (!view || view === state.view) return;
  const fresh = new URLSearchParams(location.search).get('search') !== view.id;
  Object.assign(state, { view, ...asked(view) });
  if (!(state.order in SORTS)) state.order = PLAIN.order;
  if (!view.kind) return body.replaceChildren(h('p', { class: 'mv-opening' }, view.note ?? ''));
  const shown = view.kind === 'groups' ? groupsParts(view) : pairsParts(view);
  body.replaceChildren(header(view), ...shown);
  const place = chosen(view).findIndex((pair) => pair.number === state.pair);
  if (place >= 0) dialog.open(view, chosen(view), place);
  if (fresh) reveal();
  remember();
}

// On a small screen the result of a search would stand out of sight.
function reveal() {
  if (body.getBoundingClientRect().top > 0.8 * innerHeight) body.scrollIntoView({ block: 'start' });
}

function header(view) {
  const title = h('h2', { class: 'mv-result', 'aria-live': 'polite' }, view.headline);
  const about = h('div', {}, title, h('p', { class: 'mv-soft' }, view.facts), view.note ? h('p', {}, view.note) : null);
  const copy = h('button', { type: 'button', class: 'mv-button', onclick: () => copyText(permalink(view, state), copy) }, 'Copy link');
  return h('header', { class: 'mv-head' }, about, view.id ? copy : null);
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
    remember();
  };
  const kinds = ['all', ...new Set(view.pairs.map((pair) => pair.verdict.split(' among ')[0]))];
  if (!kinds.includes(state.verdict)) state.verdict = 'all';
  const sort = select('Order', Object.keys(SORTS), state.order, (value) => change('order', value));
  const kind = select('Verdict', kinds, state.verdict, (value) => change('verdict', value));
  const value = h('output', {}, state.least.toFixed(2));
  const range = h('input', { type: 'range', min: 0, max: 1, step: 0.01, value: state.least, 'aria-label': 'Least similarity shown' });
  range.addEventListener('input', () => {
    value.textContent = Number(range.value).toFixed(2);
    change('least', Number(range.value));
  });
  const least = h('label', { class: 'mv-least' }, 'Similarity from ', value, range);
  const many = view.pairs.length > 1;
  return h('div', { class: 'mv-tools' }, ...(many ? [sort, kind, least] : []), files(view, () => save(pairRows(view), 'pairs.csv')));
}

function files(view, onclick) {
  const csv = h('button', { type: 'button', class: 'mv-button', onclick }, 'Save as CSV');
  const links = Object.entries(view.files).map(([name, path]) =>
    h('a', { class: 'mv-button', href: address(view.base + path), target: '_blank', rel: 'noopener' }, name),
  );
  return h('span', { class: 'mv-files' }, csv, ...links);
}

function select(label, options, chosen, change) {
  const node = h('select', {}, ...options.map((o) => h('option', { value: o, selected: o === chosen }, o)));
  node.addEventListener('change', () => change(node.value));
  return h('label', {}, `${label} `, node);
}

function chosen(view) {
  const { verdict, least, order } = state;
  const kept = (view.pairs ?? []).filter((p) => (p.similarity >= least || least === 0) && (verdict === 'all' || p.verdict.startsWith(verdict)));
  return kept.sort(SORTS[order]);
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
    remember();
    list.scrollIntoView({ block: 'start' });
  };
  const button = (text, by, off) => h('button', { type: 'button', class: 'mv-button', disabled: off, onclick: () => step(by) }, text);
  const where = h('span', { role: 'status' }, `${things.length} ${name}, page ${state.page + 1} of ${pages}`);
  const parts = [button('Previous', -1, state.page === 0), where, button('Next', 1, state.page + 1 >= pages)];
  pager.replaceChildren(...(pages > 1 ? parts : [where]));
}

function card(view, pair, kept, place) {
  const open = h('button', { type: 'button', class: 'mv-twins', 'aria-label': `Compare ${nameOf(pair.picture)} with its nearest image` });
  open.append(picture(view, pair.yours, sides(view)[0]), picture(view, pair.theirs, sides(view)[1]));
  open.addEventListener('click', () => dialog.open(view, kept, place));
  const top = pair.matches[0];
  const next = pair.next_similarity === null ? '' : `, next ${say(pair.next_similarity)}`;
  const score = h('p', { class: 'mv-score' }, chip(pair.verdict), ' ', h('b', {}, say(pair.similarity)), h('span', { class: 'mv-soft' }, next));
  const names = h('p', { class: 'mv-soft mv-names' }, `${nameOf(pair.picture)}, nearest #${top.id}`);
  return h('article', { class: 'mv-cell' }, open, score, names, captions(view, pair, top));
}

// How the two pictures of a pair are called.
function sides(view) {
  return view.within ? ['This image', 'Its nearest other'] : ['Yours', 'Theirs'];
}

function picture(view, file, alt) {
  return h('img', { src: address(view.base + file), alt, loading: 'lazy' });
}

function captions(view, pair, top) {
  const line = (name, text) => (text ? h('p', {}, h('span', { class: 'mv-soft' }, `${name}: `), marked(text, pair.shared)) : null);
  const [mine, other] = sides(view);
  return h('div', { class: 'mv-captions' }, line(mine, pair.prompt), line(other, top.caption));
}

// Captions are text: only the marks are elements.
function marked(text, words) {
  const parts = text.split(/([\p{L}\p{N}_]+)/u).map((part) => (words.includes(part.toLowerCase()) ? h('mark', {}, part) : part));
  return h('span', {}, ...parts);
}

// ---- groups, details, export -----------------------------------------------------------------

function groupsParts(view) {
  const list = h('ul', { class: 'mv-groups' });
  const pager = h('nav', { class: 'mv-pager', 'aria-label': 'Pages' });
  const update = () => turn(view.shown, (group) => groupNode(view, group), list, pager, update, 'groups');
  update();
  const rows = () => save(groupRows(view), 'duplicates.csv');
  return view.shown.length ? [h('div', { class: 'mv-tools' }, files(view, rows)), list, pager] : [];
}

function groupRows(view) {
  const rows = view.shown.flatMap((group, i) => group.members.map((m) => [i + 1, group.count, m.id, m.caption]));
  return [['group', 'images', 'id', 'caption'], ...rows];
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

function pairRows(view) {
  const head = ['picture', 'prompt', 'verdict', 'similarity', 'next_similarity', 'id', 'caption', 'path'];
  const rows = chosen(view).map((p) => [p.picture, p.prompt, p.verdict, p.similarity, p.next_similarity, p.matches[0].id, p.matches[0].caption, p.matches[0].path]);
  return [head, ...rows];
}

function save(rows, name) {
  const text = rows.map((row) => row.map(quoted).join(',')).join('\r\n');
  const link = h('a', { href: URL.createObjectURL(new Blob([text], { type: 'text/csv' })), download: name });
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
