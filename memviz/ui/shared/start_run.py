"""The work behind a Compare button: a checked request, made when its turn comes."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from memviz.comparison.request import ComparisonRequest
from memviz.models import loading

if TYPE_CHECKING:
    from memviz.comparison.compare import Progress


def work(asked: dict[str, Any]) -> Callable[[], "Iterator[Progress]"]:
    """The comparison to make, checked here and now; torch is imported where it runs."""
    ask = ComparisonRequest(**asked)
    loading.find(ask.model)

    def run() -> "Iterator[Progress]":
        from memviz.comparison.compare import compare

        return compare(ask)

    return run
