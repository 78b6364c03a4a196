"""Plain words for a run: its result in one line, what each cell did, what each curve shows."""

from collections.abc import Callable, Iterable, Sequence

from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.guidance.transition import Constant
from memviz.runs.record import CellRecord as Cell
from memviz.runs.record import Limits


def listed(names: Iterable[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def short(key: str) -> str:
    """A method's key as people write it, "CFG"; a name of theirs as they wrote it."""
    return key.upper() if key in METHODS else key


def by_method(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """Cells grouped by method, in the order met."""
    return {key: [c for c in cells if c.method == key] for key in {c.method: 0 for c in cells}}


def copied(cell: Cell) -> bool:
    """Whether the verdict on the cell is "Copied"."""
    return cell.kind == "copied"


def copies(key: str, cells: Sequence[Cell]) -> str:
    """ "CFG copied training image #17 (0.97)", with the share of pictures if there are several."""
    hits = [c for c in cells if copied(c)]
    ids = sorted({c.match.id for c in hits if c.match})
    what = listed(f"#{i}" for i in ids[:3]) if ids else "a training image"
    what = f"training image{'s' * (len(ids) > 1)} {what}" if ids else what
    what += " and others" if len(ids) > 3 else ""
    share = f" in {len(hits)} of {len(cells)} pictures" if len(cells) > 1 else ""
    best = max(c.similarity or 0 for c in hits)
    return f"{short(key)} copied {what}{share} ({'up to ' * (len(hits) > 1)}{best:.2f})"


def result_line(cells: Sequence[Cell], images: int | None = None) -> str:
    """What came out of a run, in a sentence or two."""
    groups = by_method([c for c in cells if c.verdict and c.similarity is not None])
    if not groups:
        return ""
    guilty = {key: group for key, group in groups.items() if any(map(copied, group))}
    close = [key for key, group in groups.items() if key not in guilty and nearly(group)]
    clean = [key for key in groups if key not in guilty and key not in close]
    if not guilty and not close:
        return nothing_found(groups, images)
    parts = [f"{copies(key, group)}." for key, group in guilty.items()]
    if close:
        parts.append(f"{listed(map(short, close))} came close.")
    if clean:
        parts.append(f"{listed(map(short, clean))} {'stayed clear' if close else 'did not'}.")
    return " ".join(parts)


def nearly(cells: Sequence[Cell]) -> bool:
    """Whether any verdict is "Close"."""
    return any(c.kind == "close" for c in cells)


def nothing_found(groups: dict[str, list[Cell]], images: int | None) -> str:
    """The sentence for a run without a copy."""
    best = max(c.similarity or 0 for group in groups.values() for c in group)
    among = f"{images:,} training images" if images else "the training images"
    return f"No copy found among {among}: the highest similarity is {best:.2f}."


def waiting_line(done: int, cells: int, step: int, steps: int) -> str:
    """What a run in progress is at."""
    if step >= steps:
        return (
            f"{done} of {cells} pictures judged, the rest are being compared with training images."
        )
    return f"Step {step} of {steps}: each picture shows what its method is heading for."


def switch(cell: Cell, over: bool = True) -> str:
    """Where guidance switched on, or that it did not (yet, if the run is not over)."""
    at = f"step {cell.transition_step} (t={cell.transition_timestep})"
    match cell.transition_kind:
        case "fallback":
            return f"no minimum: fallback at {at}"
        case "minimum":
            return f"guidance on at {at}, after the first dip"
        case "static":
            return f"guidance on at {at}"
    if isinstance(MethodSpec.read(cell.spec).guidance, Constant):
        return "guided from the first step"
    return "guidance never switched on" if over else "guidance not on yet"


def first(values: Sequence[float | None], test: Callable[[float], bool]) -> int | None:
    """Index of the first value that passes."""
    return next((i for i, v in enumerate(values) if v is not None and test(v)), None)


def per_method(cells: Sequence[Cell], steps: Callable[[Cell], int | None]) -> dict[str, str]:
    """ "step 12" or "steps 9 to 12" per method; methods that have none are left out."""
    found = {
        key: sorted(s for s in map(steps, group) if s is not None)
        for key, group in by_method(cells).items()
    }
    return {
        key: f"step {s[0]}" if s[0] == s[-1] else f"steps {s[0]} to {s[-1]}"
        for key, s in found.items()
        if s
    }


def magnitude_words(cells: Sequence[Cell], traces: dict[int, dict], band: Limits | None) -> str:
    """How many pictures start with a stronger pull, and which methods pull harder, than usual."""
    if not band:
        return "How far the prompt moves the prediction. No band of ordinary prompts is known here."
    high = band["high"]

    def seen(cell: Cell) -> list[bool]:
        pairs = zip(traces[cell.number]["magnitude"], high, strict=False)  # a live trace is shorter
        return [v > h for v, h in pairs if v is not None]

    above = {cell.number: seen(cell) for cell in cells}

    def share(cell: Cell) -> float:
        steps = above[cell.number]
        return sum(steps) / max(1, len(steps))

    first = sum(any(steps[:1]) for steps in above.values())
    parts = [
        f"{short(key)} {round(100 * sum(map(share, group)) / len(group))} %"
        for key, group in by_method(cells).items()
    ]
    return (
        f"At the first step the prompt pulls {first} of {len(cells)} pictures harder than 95 % of "
        f"ordinary prompts do (above {high[0]:.2f}). "
        f"Share of steps above their band: {', '.join(parts)}."
    )


def scale_words(cells: Sequence[Cell]) -> str:
    """When each method's guidance comes on."""
    on = per_method(cells, lambda c: c.transition_step)
    parts = [f"{short(key)} switches guidance on at {where}" for key, where in on.items()]
    rest = [key for key in by_method(cells) if key not in on]
    if rest:
        parts.append(f"no switch with {listed(map(short, rest))}")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def similarity_words(cells: Sequence[Cell], traces: dict[int, dict], mark: float | None) -> str:
    """When each method's x0 estimate became a copy."""
    if mark is None:
        return "How close each x0 estimate is to its nearest training image."
    seen = {c.number: traces[c.number]["similarity"] for c in cells}
    crossed = per_method(cells, lambda c: first(seen[c.number], lambda v: v >= mark))
    parts = [f"{short(key)} passes the copy mark ({mark:.2f}) at {s}" for key, s in crossed.items()]
    rest = [key for key in by_method(cells) if key not in crossed]
    if rest:
        target = "it" if crossed else f"the copy mark ({mark:.2f})"
        parts.append(f"{listed(map(short, rest))} never reach{'es' * (len(rest) == 1)} {target}")
    return f"{'; '.join(parts)}."
