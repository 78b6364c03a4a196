"""The report of a search: one HTML file with its pictures inside, for a browser or a printer."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

from memviz.data.caption_overlap import WORD
from memviz.retrieval.index.background import DUPLICATE

STYLE = """
:root { color-scheme: light dark; }
:root { --soft: light-dark(#52606f, #a3b0c0); --rule: #8884; --mine: #3b76e8; --null: #94a3b8; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: .2rem 1rem .2rem 0; text-align: left; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: 12rem 12rem 1fr; gap: 1rem; padding: 1rem 0;
  border-top: 1px solid var(--rule); break-inside: avoid; }
.pair img { width: 100%; } figure { margin: 0; } figcaption, .soft { color: var(--soft); }
figcaption { font-size: .85rem; overflow-wrap: anywhere; } svg { width: 100%; height: auto; }
.pair strong { font-size: 1.15rem; } mark { background: #facc1566; color: inherit; }
@media (max-width: 40rem) {
  .pair { grid-template-columns: 1fr 1fr; }
  .pair div { grid-column: 1 / -1; }
}
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body>{body}</body>
</html>
"""
ALT = "Histogram of the similarity of each picture to its nearest training image"
LEGEND = (
    "Blue: each picture and its nearest training image. Grey: each training image and its nearest "
    "other. Each set is scaled to its highest bar."
)
WIDTH, HEIGHT = 600, 160  # of the histogram, in its own units
KINDS = {"copied": "copied", "close": "close", "none": "no copy found", "unknown": "not judged"}


def page(told: dict[str, Any], folder: Path) -> str:
    """The whole file; captions and paths are text, never markup."""
    about = told["provenance"]
    corpus, look = about["corpus"], about["descriptor"]
    title = f"{about['searched']} against {corpus['name']}"
    where = f"{count(corpus['images'], 'image')} of {corpus['name']}, by {look['preset']}. "
    where += look.get("note", "")
    parts = [
        f"<h1>{escape(headline(told))}</h1><p>{escape(where)}</p>",
        f"<p>{escape(told['note'])}</p>" if told["note"] else "",
        histogram(told),
        f"<h2>Figures</h2>{figures(told)}",
        f"<h2>Pairs, most alike first</h2>{''.join(pair(p, folder) for p in told['pairs'])}",
        unreadable(told["unreadable"]),
        f"<h2>How these scores were made</h2>{facts(told)}",
    ]
    return PAGE.format(title=escape(title), style=STYLE, body="".join(parts))


def headline(told: dict[str, Any]) -> str:
    """What came out, in one sentence."""
    counts, images = told["counts"], told["provenance"]["corpus"]["images"]
    if told["pictures"] == 1 and told["pairs"]:
        (one,) = told["pairs"]
        top = one["matches"][0]
        return f"{one['verdict']}: the nearest is #{top['id']} with {top['similarity']:.2f}."
    if told["pictures"] and counts.get("none", 0) == told["pictures"]:
        asked = count(told["pictures"], "picture")
        return f"No copy found among {images:,} images: {asked} looked up."
    said = ", ".join(f"{counts[kind]:,} {word}" for kind, word in KINDS.items() if kind in counts)
    what = "training image" if told["within"] else "picture"
    each = ", each against the others" if told["within"] else ""
    return f"Of {count(told['pictures'], what)}{each}: {said}."


def count(number: int, what: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def histogram(told: dict[str, Any]) -> str:
    """Similarities of the pictures over those of the corpus with itself, the threshold drawn."""
    bins, used = told["histogram"], told["thresholds"]["used"]
    layers = "".join(
        _bars(bins[name], colour) for name, colour in (("background", "null"), ("pictures", "mine"))
    )
    x = WIDTH * used["copied"]
    line = f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="currentColor" stroke-dasharray="4 3"/>'
    words = _text(x - 4, 12, "end", f"copied from {used['copied']:.2f}")
    ticks = "".join(
        _text(WIDTH * t / 10, HEIGHT + 14, "middle", f"{t / 10:g}") for t in range(1, 10)
    )
    box = f'viewBox="0 0 {WIDTH} {HEIGHT + 20}" role="img" aria-label="{ALT}"'
    chart = f"<svg {box}>{layers}{line}{words}{ticks}</svg>"
    return f"<figure>{chart}<figcaption>{LEGEND}</figcaption></figure>"


def _text(x: float, y: float, anchor: str, words: str) -> str:
    place = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text {place} font-size="11" fill="currentColor">{words}</text>'


def _bars(counts: list[int], colour: str) -> str:
    """Each scaled to its own highest bar, so that sets of different size compare."""
    top, step = max(counts) or 1, WIDTH / len(counts)
    return "".join(
        f'<rect x="{i * step:.1f}" y="{HEIGHT - HEIGHT * n / top:.1f}" width="{step - 1:.1f}" '
        f'height="{HEIGHT * n / top:.1f}" fill="var(--{colour})" fill-opacity=".65"/>'
        for i, n in enumerate(counts)
        if n
    )


def figures(told: dict[str, Any]) -> str:
    """DCR's figures, pictures beside background."""
    found = told["statistics"]
    names = ("mean", "std", "75pc", "90pc", "95pc")
    lines = [(name, found[f"sim_{name}"], found[f"bg_{name}"]) for name in names]
    body = "".join(
        f"<tr><th>{n}</th><td>{_say(a)}</td><td>{_say(b)}</td></tr>" for n, a, b in lines
    )
    share = f"<tr><th>share above 0.5</th><td>{_say(found['sim_gt_05pc'])}</td><td></td></tr>"
    head = "<tr><th></th><th>pictures</th><th>background</th></tr>"
    return f"<table>{head}{body}{share}</table>"


def pair(one: dict[str, Any], folder: Path) -> str:
    """Yours beside theirs."""
    top = one["matches"][0]
    later = (
        "" if one["next_similarity"] is None else f"Next nearest: {one['next_similarity']:.3f}. "
    )
    seeds, of = one["seeds_agree"]
    agree = f"{seeds} of {of} pictures of this prompt copy it. " if of > 1 and seeds else ""
    if one["copies"] > 1:
        agree += f"{one['copies']} training images listed are at or above the threshold. "
    said = f"<strong>{escape(one['verdict'])}</strong> {top['similarity']:.3f}"
    about = f'<p class="soft">{escape(later + agree + one["reason"])}</p>'
    yours = figure(folder / one["yours"], one["picture"], one["prompt"], one["shared"])
    theirs = figure(folder / one["theirs"], top["path"], top["caption"], one["shared"])
    return f'<div class="pair">{yours}{theirs}<div>{said}{about}</div></div>'


def figure(file: Path, place: str, caption: str, shared: list[str]) -> str:
    """A picture with its name and caption, shared words marked."""
    data = base64.b64encode(file.read_bytes()).decode()
    text = f"<br>{marked(caption, shared)}" if caption else ""
    name = escape(Path(place).name)
    image = f'<img src="data:image/jpeg;base64,{data}" alt="{name}">'
    return f"<figure>{image}<figcaption>{name}{text}</figcaption></figure>"


def marked(caption: str, shared: list[str]) -> str:
    """A caption as markup, the shared words marked."""
    parts, at = [], 0
    for word in WORD.finditer(caption):
        if word[0].lower() in shared:
            parts += [escape(caption[at : word.start()]), f"<mark>{escape(word[0])}</mark>"]
            at = word.end()
    return "".join(parts) + escape(caption[at:])


def unreadable(rows: list[dict[str, str]]) -> str:
    """Pictures that could not be looked up."""
    items = "".join(f"<li>{escape(r['picture'])}: {escape(r['problem'])}</li>" for r in rows)
    return f"<h2>Not read</h2><ul>{items}</ul>" if rows else ""


def facts(told: dict[str, Any]) -> str:
    """Provenance and thresholds, so that the figures can be made again."""
    body = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows(told))
    return f"<table>{body}</table>"


def rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    """The same as name and text."""
    about, marks = told["provenance"], told["thresholds"]
    corpus, look, used = about["corpus"], about["descriptor"], marks["used"]
    return [
        ("Corpus", f"{corpus['name']}, {corpus['images']:,} images, {corpus['hash'][:16]}"),
        (
            "Descriptor",
            f"{look['preset']}, {look['dims']} dimensions, {look['hash'][:16]}. "
            f"{look.get('note', '')}".strip(),
        ),
        ("Copied from", f"{used['copied']:.3f}, close from {used['close']:.3f} ({used['source']})"),
        ("The corpus' own threshold", _own(marks["background"])),
        ("Made", f"{told['created']}, memviz {about['memviz']}, index {about['index']['recipe']}"),
    ]


def _own(own: dict[str, Any] | None) -> str:
    if own is None:
        return "too few distinct images"
    return (
        f"{own['value']:.3f} ({own['confidence']:.0%} confidence {own['low']:.3f} to "
        f"{own['high']:.3f}), the {own['quantile']:.1%} quantile of {own['images']:,} images "
        f"without the {own['duplicates']:,} that have a duplicate ({DUPLICATE:.2f} alike or more)"
    )


def _say(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
