"""The command line: `python -m memviz VERB`. A verb is a file here and a row in `commands.py`.

Results go to stdout, progress and errors to stderr. A mistake in what was asked is one sentence
and exit code 2; a defect of ours is one sentence and exit code 70, its traceback in the log.
Heavy imports stand in the functions that need them.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, NoReturn

from memviz.cli.command import Terminated, complain, hear_sigterm, say
from memviz.cli.commands import VERBS, Entry
from memviz.errors import MemvizError, explain_defect
from memviz.io.disk import hint_full, is_full
from memviz.io.paths import home


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    args = parser().parse_args(argv)
    if argv is None:  # run as a program, not called by one
        hear_sigterm()
    for library in ("TRANSFORMERS", "DIFFUSERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")  # errors are ours to tell
    try:
        with redirect_stdout(sys.stderr):  # no library may write into the result
            result = args.verb(args)
    except (MemvizError, OSError) as error:
        full = isinstance(error, OSError) and is_full(error)
        return complain(f"{hint_full(home())} ({error})" if full else str(error), 2)
    except KeyboardInterrupt as stop:
        return complain("Stopped.", 143 if isinstance(stop, Terminated) else 130)
    except Exception as error:
        if is_full(error):
            return complain(f"{hint_full(home())} ({error})", 2)
        told = explain_defect(error, home() / "errors.log", args.debug)
        say(told if args.debug else " ".join(told.split()))
        return 70
    print(json.dumps(result, indent=1, ensure_ascii=False) if args.json else args.table(result))
    return 0


class Wide(argparse.HelpFormatter):
    """A verb and what it does on one line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=110)


class Parser(argparse.ArgumentParser):
    """Argparse, with mistakes as one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say it and leave."""
        self.exit(complain(f"{message}. See `{self.prog} --help`.", 2))


class VerbParser(Parser):
    """The parser of one verb, which is loaded when its words are read and not before."""

    def __init__(self, *, entry: Entry, **how: Any) -> None:  # noqa: ANN401
        super().__init__(**how)
        self.entry: Entry | None = entry

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] - it has overloads
        self,
        args: Any = None,  # noqa: ANN401
        namespace: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """As argparse does, with the verb's own options."""
        if self.entry:
            verb, self.entry = self.entry.load(), None
            verb.options(self)
            self.set_defaults(verb=verb.run, table=verb.table)
        return super().parse_known_args(args, namespace)


def use_plugin(path: str) -> str:
    """Load a plug-in as soon as it is named: the words of the verb may speak of its methods."""
    from memviz.guidance.plugins import use_file

    try:
        use_file(path)
    except MemvizError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def parser() -> Parser:
    """All verbs and their options."""
    about = "See a diffusion model copy its training data, and avoid it."
    top = Parser("python -m memviz", description=about, formatter_class=Wide)
    debug: dict[str, Any] = {"action": "store_true", "help": "show the traceback of a defect"}
    top.add_argument("--debug", **debug)
    about = "load methods of your own from a file of Python; may be given repeatedly"
    top.add_argument("--plugin", action="append", type=use_plugin, metavar="FILE", help=about)
    verbs = top.add_subparsers(
        metavar="VERB [its options ...]", required=True, parser_class=VerbParser
    )
    for name, entry in VERBS.items():
        how: dict[str, Any] = {"description": entry.about, "formatter_class": Wide, "entry": entry}
        sub = verbs.add_parser(name, help=entry.about, **how)
        sub.add_argument("--json", action="store_true", help="print one JSON value")
        sub.add_argument("--debug", default=argparse.SUPPRESS, **debug)  # what stands before holds
    return top
