// One pair of the Neighbours tab at full size, in the page or in a dialog.

function wide(view, pair) {
  const [mine, theirs] = [address(view.base + pair.yours), address(view.base + pair.theirs)];
  const top = pair.matches[0];
  const name = `Training image #${top.id}`;
  const [mineIs] = sides(view);
  const looks = { tile: 512, mine: mineIs.toLowerCase() };
  const four = h(
    'div',
    { class: 'mv-four' },
    figure(mineIs, mine, pair.prompt || nameOf(pair.picture), looks),
    figure(name, theirs, top.caption || nameOf(top.path), looks),
    slider(mine, theirs, name, looks),
    difference(mine, theirs, looks),
  );
  const reason = h('p', {}, chip(pair.verdict), ` ${pair.reason}`);
  const both = pair.prompt ? captions(view, pair, top) : null;
  return h('section', { class: 'mv-wide' }, reason, four, both, facts(view, pair), others(view, pair));
}

function facts(view, pair) {
  const [agree, of] = pair.seeds_agree;
  const more = view.all_above || pair.copies < pair.matches.length ? '' : ' or more';
  const rows = [
    ['Similarity', `${say(pair.similarity, 3)} (1 = the same picture)`],
    ['Next match', pair.next_similarity === null ? null : `${say(pair.next_similarity, 3)}: a wide gap means a copy of this one image, not a common motif`],
    ['Copies', pair.copies > 1 ? `${pair.copies}${more} training images are at or above the threshold` : null],
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
  const point = (pair) => {
    state.pair = pair;
    remember();
  };
  node.addEventListener('close', () => point(null));
  const open = (view, kept, place) => {
    const go = (by) => open(view, kept, (place + by + kept.length) % kept.length);
    before.onclick = () => go(-1);
    after.onclick = () => go(1);
    title.textContent = `${nameOf(kept[place].picture)}, ${place + 1} of ${kept.length}`;
    inside.replaceChildren(wide(view, kept[place]));
    point(kept[place].number);
    if (!node.open) node.showModal();
    node.scrollTop = 0;
  };
  return { node, open };
}
