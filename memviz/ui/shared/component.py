"""The parts of the page that a module draws in the browser, and calls of a module's functions."""

import json
from abc import ABCMeta
from typing import Any, ClassVar

import gradio as gr
from gradio.component_meta import updateable

from memviz.ui.shared import assets

# Gradio takes scripts as text only: this much of one, which loads a module that the browser keeps.
LOAD = "import((window.gradio_config?.root ?? '').replace(/\\/$/, '') + %s)"
MOUNT = """
%s.then(
  ({ mount }) => mount({ element, props, watch, trigger }),
  (error) => {
    element.textContent = 'This part of the page could not be loaded. Reload the page.';
    console.error(error);
  },
);
"""


def load(module: str) -> str:
    """The module, as an expression: a component's own props are not there at all times."""
    return LOAD % json.dumps(assets.module_path(module))


def module_call(module: str, function: str, *values: str) -> str:
    """A function of a module as an event's `js`; after `values` it is given the event's inputs."""
    given = json.dumps(values)
    return f"async (...inputs) => (await {load(module)}).{function}(...{given}, ...inputs)"


class _Plain(type(gr.HTML)):
    """Makes the class only: Gradio's own metaclass writes a .pyi file beside the source as well."""

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> type:
        if "__init__" in names:
            names["__init__"] = updateable(names["__init__"])
        return ABCMeta.__new__(cls, name, bases, names)


class Component(gr.HTML, metaclass=_Plain):
    """An empty box whose `module` draws `value` in it; the module exports `mount`."""

    module: ClassVar[str]  # below memviz/ui
    template: ClassVar[str] = '<div class="mv-root"></div>'

    def __init__(self, value: Any = None, **options: Any) -> None:  # noqa: ANN401 - as gr.HTML
        super().__init__(
            value,
            html_template=self.template,
            js_on_load=MOUNT % load(self.module),
            apply_default_css=False,
            **options,
        )
