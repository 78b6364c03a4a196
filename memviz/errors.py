"""What memviz raises when something was asked that cannot be done: one sentence for a person.

It says what came, what was wanted and what to do next. Edges (`cli/`, `ui/`) show these as they
are; any other exception is a defect of memviz, or of the machine, and keeps its traceback.
"""

import traceback
from pathlib import Path


class MemvizError(Exception):
    """Something a person can mend; `str(error)` is the sentence to show."""


class InputError(MemvizError, ValueError):
    """A value that was given and cannot be taken."""


def explain_defect(error: Exception, log: Path, debug: bool = False) -> str:
    """The sentence for an exception that nobody asked for; its traceback is added to `log`.

    With `debug` the traceback itself.
    """
    told = "".join(traceback.format_exception(error))
    if debug:
        return told
    kept = f"The traceback is in {log}."
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(told)
    except OSError:
        kept = "Run it again with --debug to see the traceback."
    return f"This is a defect of memviz ({type(error).__name__}: {error}). {kept}"
