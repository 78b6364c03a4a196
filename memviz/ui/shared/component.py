"""The parts of the page that are drawn by a module of their own, in the browser."""

from abc import ABCMeta
from typing import Any, ClassVar

import gradio as gr
from gradio.component_meta import updateable

from memviz.ui.shared import assets

# Gradio gives a component its script as text; this one loads the module, which the browser keeps.
START = """
const root = (window.gradio_config?.root ?? '').replace(/\\/$/, '');
import(root + props.module).then(
  ({ mount }) => mount({ element, props, watch, trigger }),
  (error) => {
    element.textContent = 'This part of the page could not be loaded. Reload the page.';
    console.error(error);
  },
);
"""


class _Plain(type(gr.HTML)):
    """Makes the class only: Gradio's own metaclass writes a .pyi file beside the source as well."""

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> type:
        if "__init__" in names:
            names["__init__"] = updateable(names["__init__"])
        return ABCMeta.__new__(cls, name, bases, names)


class Component(gr.HTML, metaclass=_Plain):
    """An empty box whose `module` draws `value` in it; the module exports `mount`."""

    module: ClassVar[str]  # below memviz/ui

    def __init__(self, value: Any = None, **options: Any) -> None:  # noqa: ANN401 - as gr.HTML
        super().__init__(
            value,
            html_template='<div class="mv-root"></div>',
            js_on_load=START,
            apply_default_css=False,
            module=assets.module_path(self.module),
            **options,
        )
