"""The line of words above a result: notices, and errors as sentences."""

import html

from memviz.errors import MemvizError


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
