// The address of a search, of how it is sorted and filtered, and of the pair that is open in it.

const PLAIN = { order: 'Most alike first', verdict: 'all', least: 0, page: 0, pair: null };

// What the address says of this search, in place of what it leaves out.
function asked(view) {
  const said = new URLSearchParams(location.search);
  if (!view.id || said.get('search') !== view.id) return { ...PLAIN };
  const number = (name, otherwise) => (said.has(name) ? Number(said.get(name)) || 0 : otherwise);
  return {
    order: said.get('order') ?? PLAIN.order,
    verdict: said.get('verdict') ?? PLAIN.verdict,
    least: number('least', PLAIN.least),
    page: Math.max(0, number('page', 1) - 1),
    pair: number('pair', PLAIN.pair),
  };
}

function permalink(view, state) {
  const url = new URL(location.href);
  const shown = { ...state, page: state.page + 1 };
  const plain = { ...PLAIN, page: 1 };
  for (const name of Object.keys(PLAIN)) {
    if (shown[name] === plain[name]) url.searchParams.delete(name);
    else url.searchParams.set(name, shown[name]);
  }
  url.searchParams.set('tab', 'neighbours');
  url.searchParams.set('search', view.id);
  return url.href;
}

function remember() {
  if (!state.view?.id || !element.offsetParent) return;
  clearTimeout(state.later); // browsers refuse hundreds of these in a few seconds
  state.later = setTimeout(() => history.replaceState(history.state, '', permalink(state.view, state)), 150);
}
