"""The user's own runs that a list offers."""

from memviz.runs import store
from memviz.ui.shared import access

NEWEST = 50  # of one's own runs


def own(newest: int = NEWEST) -> list[store.Run]:
    """The runs of this machine; none on a public page, where a run's link is its key."""
    return [] if access.public() else store.listed()[:newest]
