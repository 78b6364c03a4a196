"""The one door of the page: every handler, those to come too, is called through it.

`GuardedBlocks` stands where Gradio calls any handler, whichever way the request came. On a public
page a visitor's values must be what the page itself offers: an entry of a list, a number, words in
a box that `take_words` opened, a file that was just uploaded. All else is answered by one sentence,
whatever it names, so that nothing can be found out by asking. What goes out names no folder of this
machine. An error of a person is a sentence on the page and a line in the log, one of ours is said
to be one and keeps its traceback.
"""

import json
import logging
import math
import os
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import Any
from weakref import WeakSet

import gradio as gr
from gradio.blocks import BlockFunction
from gradio.utils import get_upload_folder

from memviz.errors import MemvizError
from memviz.io.paths import PACKAGE, demo, home
from memviz.ui.shared import access

log = logging.getLogger("memviz.ui")
CLOSED = "On this public page, choose from the lists; only words and numbers can be typed."
STRANGE = (
    "This app is served for its own machine, but was reached through a proxy. Its owner can start "
    "it with MEMVIZ_PUBLIC=1 for everybody, or with MEMVIZ_PUBLIC=0 if the proxy keeps others out."
)
MISTYPED = "The page sent something that this cannot take. Load it again."
DEFECT = "Something went wrong here that you cannot mend ({name}); the log of the app has it."
LONGEST = 20_000  # characters in a box of words
EVENT = 4_000  # characters of an event's data
_WORDS: WeakSet[gr.components.Component] = WeakSet()


def take_words(*components: gr.components.Component) -> None:
    """Let visitors type freely into these: prompts, numbers, specs; never names or places."""
    _WORDS.update(components)


class GuardedBlocks(gr.Blocks):
    """A page whose handlers a visitor reaches with values of the page only."""

    public = False  # whether it was laid out for others, too

    async def process_api(
        self,
        block_fn: BlockFunction | int,
        inputs: list[Any],
        *rest: Any,  # noqa: ANN401
        **named: Any,  # noqa: ANN401 - as Gradio has them
    ) -> dict[str, Any]:
        request, handler = named.get("request"), block_fn
        if isinstance(handler, int):
            handler = self.fns[handler]
        visitor = access.is_visitor(request)
        try:
            if access.is_strange(request):
                raise gr.Error(STRANGE)
            if named.get("iterator") is None:
                if visitor:
                    check(handler, inputs, named.get("state"), named.get("event_data"))
                elif not all(map(is_wellformed, handler.inputs, inputs)):
                    raise gr.Error(MISTYPED)
            made = await super().process_api(block_fn, inputs, *rest, **named)
        except Exception as error:
            raise explain(error, handler, visitor) from error
        if visitor:
            made["data"] = hide_folders(made["data"])
        return made


def check(handler: BlockFunction, inputs: Sequence[Any], state: Any, event: Any) -> None:  # noqa: ANN401
    """Raise gr.Error unless all values are what this page offers."""
    known = len(inputs) == len(handler.inputs) and not handler.component_prop_inputs
    said = getattr(event, "_data", None)
    if not known or (said is not None and len(json.dumps(said)) > EVENT):
        raise gr.Error(CLOSED)
    for component, value in zip(handler.inputs, inputs, strict=True):
        now = state[component._id] if state and component._id in state else component
        if not is_offered(component, now, value):
            raise gr.Error(CLOSED)


def is_offered(component: Any, now: Any, value: Any) -> bool:  # noqa: ANN401 - anything
    """Whether a visitor may give this value; `now` is the component as the session last saw it."""
    if isinstance(component, gr.State) or value is None:  # a state is the server's own
        return True
    if isinstance(component, gr.Dropdown | gr.CheckboxGroup | gr.Radio):
        values = value if isinstance(value, list) else [value]
        offered = [choice for _, choice in now.choices or ()]
        if all(any(same(one, choice) for choice in offered) for one in values):
            return True
        return component in _WORDS and is_words(value)
    if isinstance(component, gr.Textbox):
        shown = value in (component.value, now.value)  # as the page put it there
        return shown or (component in _WORDS and is_words(value))
    if isinstance(component, gr.Number | gr.Slider):
        return is_number(value)
    if isinstance(component, gr.Checkbox):
        return isinstance(value, bool)
    return isinstance(component, gr.Image | gr.File) and is_upload(value)


def is_wellformed(component: Any, value: Any) -> bool:  # noqa: ANN401 - anything
    """Whether a value is of the kind that a box of the page has, whoever sends it."""
    if isinstance(component, gr.Dropdown | gr.CheckboxGroup | gr.Radio | gr.Textbox):
        several = bool(getattr(component, "multiselect", False))
        listed = several or isinstance(component, gr.CheckboxGroup)
        values = value if listed and isinstance(value, list) else [value]
        return all(one is None or is_number(one) or isinstance(one, bool) or is_text(one)
                   for one in values)  # fmt: skip
    if isinstance(component, gr.Number | gr.Slider):
        return value is None or is_number(value)
    return not isinstance(component, gr.Checkbox) or isinstance(value, bool | None)


def is_text(value: object) -> bool:
    """A text that can be said and stored."""
    return isinstance(value, str) and "\0" not in value


def same(one: object, other: object) -> bool:
    """Equal and of one type: True is not 1 here."""
    return type(one) is type(other) and one == other


def is_words(value: object) -> bool:
    """A text of a length that a person types."""
    return isinstance(value, str) and len(value) <= LONGEST and "\0" not in value


def is_number(value: object) -> bool:
    """A number that can be counted with."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < 1e15 and math.isfinite(value)


def is_upload(value: object) -> bool:
    """A file that somebody uploaded to this page, and no address to fetch one from."""
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or "\0" in path:
        return False
    return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())


def explain(error: Exception, handler: BlockFunction, visitor: bool) -> gr.Error:
    """What the page says of an error; the log says it in a line, or with our traceback."""
    name = getattr(handler.fn, "__qualname__", "a handler")
    if isinstance(error, gr.Error | MemvizError):
        said = str(getattr(error, "message", error))
        log.warning("%s: %s", name, " ".join(said.split()))
    elif is_mistyped(error):
        said = MISTYPED
        log.warning("%s: %s", name, " ".join(str(error).split())[:300])
    else:
        said = DEFECT.format(name=type(error).__name__)
        log.error("%s failed", name, exc_info=error)
    return gr.Error(hide_folders(said) if visitor else said, print_exception=False, title="memviz")


def is_mistyped(error: Exception) -> bool:
    """Whether Gradio itself refused a value, before a handler of ours saw it."""
    frames = (frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__))
    return all(Path(file) == Path(__file__) or str(PACKAGE) not in file for file in frames)


@cache
def folders() -> re.Pattern[str]:
    """Places of this machine, each with whatever follows it."""
    places = {home(), demo(), PACKAGE.parent, Path.home(), Path.cwd(), Path(tempfile.gettempdir())}
    places |= {Path(get_upload_folder()), Path(os.__file__).parents[1]}
    roots = {str(place) for one in places for place in (one.absolute(), one.resolve())} - {"/"}
    longest = sorted(roots, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest))})((?:/[^\s'\"<>,;:()]*)?)")


def shorten(found: re.Match[str]) -> str:
    """The last part of a path, with the full stop of its sentence."""
    path = found[1].rstrip(".")
    return (path.rstrip("/").rpartition("/")[2] or "…") + found[1][len(path) :]


def hide_folders(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same without the folders of this machine: of a path only its last part is left."""
    if isinstance(value, str):
        return folders().sub(shorten, value)
    if isinstance(value, dict):
        return {key: hide_folders(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(hide_folders, value)) if type(value) in (list, tuple) else value
    return value
