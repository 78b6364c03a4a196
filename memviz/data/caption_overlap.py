"""What two captions share."""

import re
from collections.abc import Sequence

from memviz.errors import InputError

WORD = re.compile(r"\w+")
COMMON = "a an and are as at by for from in is it its of on or that the this to with"


def words(text: str) -> list[str]:
    """The words of a caption that say something, lower case, each once, in order."""
    found = (word for word in WORD.findall(text.lower()) if word not in COMMON.split())
    return list(dict.fromkeys(found))


def shared(one: str, other: str) -> list[str]:
    """Words of both, in the order of the first."""
    known = set(words(other))
    return [word for word in words(one) if word in known]


def overlap(one: str, other: str) -> float | None:
    """Shared words over all words of both (Jaccard); None where either says nothing."""
    every = set(words(one)) | set(words(other))
    return len(shared(one, other)) / len(every) if words(one) and words(other) else None


def best(texts: Sequence[str], wanted: str, count: int) -> list[int]:
    """Rows of the texts with all the wanted words, or with as many as any has; may be none."""
    asked = words(wanted)
    if not asked:
        raise InputError("Type a few words that captions may have.")
    scores = [len(shared(text, wanted)) for text in texts]
    most = max([1, *scores])
    return [row for row, score in enumerate(scores) if score == most][:count]
