"""The work behind a Compare button: a checked request, made when its turn comes."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memviz.comparison.request import ComparisonRequest
from memviz.data import corpus
from memviz.errors import InputError
from memviz.models import loading
from memviz.ui.shared import access, controls

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView


MOST = 4_000  # pictures times steps of a visitor's comparison


def check_names(ask: ComparisonRequest) -> None:
    """Refuse what is in no list of this page: a saved run may name places of its maker's."""
    known = (
        ask.model in [name for _, name in controls.models()]
        and (not ask.corpus or ask.corpus in corpus.known())
        and ask.descriptor in controls.descriptors()
        and ask.clip in controls.clips()
        and ask.decoder in ("", "own", "linear")
    )
    if not known:
        raise InputError("On this public page, choose model, corpus and descriptor from the lists.")


def check_size(evaluations: int) -> None:
    """Refuse what would keep a public page busy for long."""
    if evaluations > MOST:
        raise InputError(
            f"That takes {evaluations:,} steps in all, and this public page makes {MOST:,} at "
            "once. Ask for fewer seeds, methods or steps, or run memviz on your own machine."
        )


def check_path(ask: ComparisonRequest) -> None:
    """Refuse a size or a number format of a visitor's own: the machine was chosen for the usual."""
    if ask.size is not None or ask.dtype:
        raise InputError("This public page makes pictures of the model's own size. Leave it empty.")


def check_index(ask: ComparisonRequest) -> None:
    """Refuse a corpus that would first have to be indexed."""
    from memviz import resources
    from memviz.retrieval.index.index import IndexMismatch

    try:
        resources.open_detector(ask.corpus, ask.descriptor)
    except IndexMismatch:
        raise InputError(
            f"{ask.corpus} has no index by {ask.descriptor} here yet. Choose others; only the "
            "owner of this page can make one."
        ) from None


@dataclass(frozen=True)
class Work:
    """A checked comparison that is made when it is called; torch is imported there."""

    ask: ComparisonRequest
    visitor: bool

    def __call__(self) -> "Generator[StepView, None, None]":
        """Its views, step by step."""
        from memviz.comparison.compare import compare

        if self.visitor and self.ask.corpus:
            check_index(self.ask)
        return compare(self.ask)


def work(asked: dict[str, Any]) -> Work:
    """The comparison to make, checked here and now."""
    ask = ComparisonRequest(**asked)
    loading.find(ask.model)
    visitor = bool(access.current_visitor())
    if visitor:
        check_names(ask)
        check_path(ask)
        check_size(len(ask.prompts) * len(ask.methods) * len(ask.seeds) * ask.steps)
    return Work(ask, visitor)
