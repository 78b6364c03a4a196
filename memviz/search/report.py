"""The report of a search: one HTML file with its pictures inside, for a browser or a printer."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from markupsafe import Markup

from memviz.data.caption_overlap import WORD
from memviz.io import html
from memviz.statistics import format_estimate

KINDS = {"copied": "copied", "close": "close", "none": "no copy found", "unknown": "not judged"}


def page(told: dict[str, Any], folder: Path) -> str:
    """The whole file; captions and paths are text, never markup."""
    about = told["provenance"]
    corpus, look = about["corpus"], about["descriptor"]
    where = f"{count(corpus['images'], 'image')} of {corpus['name']}, by {look['preset']}. "
    return html.render(
        "search/report.html",
        told=told,
        title=f"{about['searched']} against {corpus['name']}",
        headline=headline(told),
        where=where + look.get("note", ""),
        rows=rows(told),
        picture=lambda file: base64.b64encode((folder / file).read_bytes()).decode(),
        name=lambda path: Path(path).name,
        marked=marked,
    )


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


def marked(caption: str, shared: list[str]) -> Markup:
    """A caption as markup, the shared words marked."""
    parts, at = Markup(), 0
    for word in WORD.finditer(caption):
        if word[0].lower() in shared:
            parts += caption[at : word.start()] + Markup("<mark>{}</mark>").format(word[0])
            at = word.end()
    return parts + caption[at:]


def rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Provenance and thresholds by name, so that the figures can be made again."""
    about, marks = told["provenance"], told["thresholds"]
    corpus, look, used = about["corpus"], about["descriptor"], marks["used"]
    return [
        ("Corpus", f"{corpus['name']}, {corpus['images']:,} images, {corpus['hash'][:16]}"),
        (
            "Descriptor",
            f"{look['preset']}, {look['dims']} dimensions, {look['hash'][:16]}. "
            f"{look.get('note', '')}".strip(),
        ),
        ("Copied from", _used(used, look.get("note", ""))),
        ("False positives", (marks.get("false_positives") or {}).get("sentence", "not known")),
        ("The corpus' own threshold", _own(marks["background"])),
        *quality_rows(told),
        ("Made", f"{told['created']}, memviz {about['memviz']}, index {about['index']['recipe']}"),
    ]


def quality_rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Fit to the prompts and FID, where they were asked for."""
    rows = []
    if fit := told.get("clip"):
        number = count(fit["pictures"], "picture")
        rows.append(("CLIP score", f"{format_estimate(fit, 3)}, {number}, by {fit['model']}"))
    if fid := told.get("fid"):
        few = "; with fewer than 5,000 it says more of their number" if fid["few"] else ""
        of = f"{count(fid['pictures'], 'picture')}, {fid['corpus']:,} of the corpus"
        rows.append(("FID", f"{fid['value']:.2f} ({of}{few})"))
    return rows


def _used(used: dict[str, Any], misfit: str) -> str:
    """The thresholds; another corpus' are not quoted where the descriptor is not fit for this."""
    if misfit:
        return "no similarity: a descriptor that is not made for the corpus gives no verdict"
    return f"{used['copied']:.3f}, close from {used['close']:.3f} ({used['source']})"


def _own(own: dict[str, Any] | None) -> str:
    if own is None:
        return "too few distinct images"
    return (
        f"{own['value']:.3f} ({own['confidence']:.0%} confidence {own['low']:.3f} to "
        f"{own['high']:.3f}), the {own['quantile']:.1%} quantile of {own['images']:,} images "
        f"without the {own['duplicates']:,} that have a duplicate "
        f"({own['duplicate']:.2f} alike or more)"
    )
