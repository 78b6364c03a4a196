"""Lists of numbers as people type them: `0,1,2`, `0-3`, `100:900:100`, and any mix of these.

How many numbers a text makes is known before they are made: a long range costs a sentence.
"""

import math
import re
from collections.abc import Mapping
from typing import TypeVar

from memviz.errors import InputError

MOST = 256  # numbers of one list unless the reader asks for another limit
LONGEST = 10_000  # characters
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SPAN = re.compile(rf"({NUMBER})(?:-({NUMBER})|:({NUMBER})(?::({NUMBER}))?)?")
Number = TypeVar("Number", int, float)


def parse_ints(
    text: str, what: str, most: int = MOST, words: Mapping[str, int] | None = None
) -> list[int]:
    """Whole numbers in the order typed, each once; `words` stand for some of them.

    `what` names the list in errors. Raises InputError on anything else, or on more than `most`.
    """
    return _parse(text, what, most, int, "whole numbers, as 0,1,2 or 0-3", words or {})


def parse_numbers(text: str, what: str, most: int = MOST) -> list[float]:
    """Numbers in the order typed, each once; otherwise as `parse_ints`."""
    return _parse(text, what, most, float, "numbers, as 0,1.5,3 or 100:900:100", {})


def _parse(
    text: str,
    what: str,
    most: int,
    kind: type[Number],
    wanted: str,
    words: Mapping[str, Number],
) -> list[Number]:
    """Read the parts one by one; the count is checked before each is made."""
    if len(text) > LONGEST:
        raise InputError(f"{what} has {len(text):,} characters. Give at most {LONGEST:,}.")
    found: list[Number] = []
    for part in re.split(r"[\s,;]+", text.strip(" ,;\n\t")):
        if not part:
            continue
        try:
            start, count, step = (words[part], 1, kind(0)) if part in words else _span(part, kind)
        except (ValueError, OverflowError):
            raise InputError(f"{what} has {part[:20]!r} in it. Write {wanted}.") from None
        if len(found) + count > most:
            raise InputError(f"{what} makes more than {most:,} numbers. Give at most {most:,}.")
        found += [kind(f"{start + i * step:.12g}") if kind is float else start + i * step
                  for i in range(count)]  # fmt: skip
    return list(dict.fromkeys(found))


def _span(part: str, kind: type[Number]) -> tuple[Number, int, Number]:
    """First number, how many there are, and the step between two; ValueError if it is no range."""
    match = SPAN.fullmatch(part)
    if match is None:
        raise ValueError
    first, *ends, by = match.groups()
    start, end = kind(first), next((kind(e) for e in ends if e is not None), None)
    step = kind(by) if by else kind(1)
    if not all(map(math.isfinite, (start, step, end or 0))):
        raise ValueError
    if end is None:
        return start, 1, step
    if step <= 0 or end < start:
        raise ValueError
    if kind is int:
        return start, int((end - start) // step) + 1, step
    return start, int(float(end - start) / step + 1e-9) + 1, step
