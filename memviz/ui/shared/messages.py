"""The line of words above a result: notices, and errors as sentences."""

import html
import logging

from memviz.errors import MemvizError

log = logging.getLogger("memviz.ui")
SHORT = 3.0  # seconds that nobody asks about


def note(error: Exception | None) -> None:
    """Log why work broke off: a person's mistake as a line, a defect with its traceback."""
    if isinstance(error, MemvizError):
        log.warning("a comparison was refused: %s", " ".join(str(error).split()))
    elif error is not None:
        log.error("a comparison failed", exc_info=error)


def notice(text: str = "", alert: bool = True) -> str:
    """A message above the pictures; the text may hold anything a person typed."""
    role = "alert" if alert else "status"
    return f'<p class="mv-message" role="{role}">{html.escape(text)}</p>' if text else ""


def sentence(error: Exception) -> str:
    """What to tell a person: our own errors as they are, others without their insides."""
    if isinstance(error, MemvizError):
        return str(error)
    return (
        f"The comparison broke off ({type(error).__name__}). What was finished is kept; "
        "the log of the app has the details."
    )


def outcome(error: Exception | None) -> str:
    """The message at the end of work: why it broke off, or none."""
    return notice(sentence(error) if error else "")


def time_left(seconds: float, done: int, total: int) -> str:
    """How long the rest takes at the pace so far; nothing where that is hardly worth saying."""
    left = seconds / done * (total - done) if done else 0.0
    if left < SHORT:
        return ""
    return f" About {f'{left:.0f} s' if left < 90 else f'{left / 60:.0f} min'} left."


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def big(number: int) -> str:
    """A count with its thousands apart."""
    return f"{number:,}"


def tab_title(question: str, about: str) -> str:
    """What a tab answers, and how."""
    return f'<div class="mv-title"><h2>{question}</h2><p>{about}</p></div>'
