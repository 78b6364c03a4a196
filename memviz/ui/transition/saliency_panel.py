"""Which words did it? Each word shaded by its saliency; a press removes it and compares."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError, MemvizError
from memviz.guidance.spec import make_specs
from memviz.io import html
from memviz.ui.shared import controls, messages
from memviz.ui.shared.component import Component
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.live import MACHINE


class Words(Component):
    """The words that `shaded` makes; a press on one submits its number."""

    module = "transition/saliency.js"
    template = "${value}"


def shaded(words: list[Any]) -> str:
    """The prompt as buttons; the number says what the shade does."""
    return html.render("ui/transition/saliency_words.html", words=words)


def look(prompt: str, model: str, seeds: str, steps: float) -> str:
    """The words of a prompt with their saliency, or why there is none."""
    try:
        ask = ComparisonRequest(
            [prompt or ""],
            seeds=controls.seeds(str(seeds)),
            steps=controls.plain(steps),
            model=model,
        )
        from memviz import resources
        from memviz.detection import token_saliency
        from memviz.models.schedulers import scheduler

        with MACHINE:
            pipe = resources.load_model(ask.model).pipe
            plan = scheduler(pipe, ask.scheduler, ask.steps)
            return shaded(token_saliency.words(pipe, plan, ask.prompts[0], ask.seeds[0]))
    except MemvizError as error:
        return messages.notice(str(error))


def pressed(event: gr.EventData) -> int:
    """The number of the word that was pressed."""
    try:
        return int(event._data["word"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError("That is no word of the prompt. Ask for the words again.") from None


def without(prompt: str, index: int) -> str:
    """The prompt less one word."""
    words = prompt.split()
    return " ".join([*words[:index], *words[index + 1 :]])


def compared(prompt: str, index: int, seeds: str, **more: Any) -> ComparisonRequest:  # noqa: ANN401
    """The prompt with and without a word, under plain guidance."""
    return ComparisonRequest(
        [prompt, without(prompt, index)], make_specs(["cfg"]), controls.seeds(seeds), **more
    )


def build(
    inputs: list[gr.components.Component],
    outputs: list[gr.components.Component],
    start: Callable[[Callable[[], ComparisonRequest]], Iterator[list[Any]]],
) -> None:
    """The button and the words; `inputs` are prompt, model, seeds and steps."""
    button = gr.Button("Which words did it?", elem_id="t-words-go")
    words = Words(elem_id="t-words")

    def remove(
        prompt: str, model: str, seeds: str, steps: float, event: gr.EventData
    ) -> Iterator[list[Any]]:
        more = {"model": model, "steps": controls.plain(steps)}
        yield from start(lambda: compared(prompt, pressed(event), str(seeds), **more))

    button.click(look, inputs, words, concurrency_id="gpu", **QUIET)
    words.submit(remove, inputs, outputs, concurrency_limit=None, **QUIET)
