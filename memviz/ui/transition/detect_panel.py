"""Scores of whole lists of prompts: which look memorized, and how well the score tells."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from memviz.data.prompts import Prompt, read
from memviz.errors import InputError, MemvizError
from memviz.io import html
from memviz.ui.shared import access, controls, examples, messages
from memviz.ui.shared.component import Component
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.live import MACHINE
from memviz.ui.shared.start_run import check_size

if TYPE_CHECKING:
    from memviz.detection.scores import Detection

MOST = 500  # prompts of one press
USED, IMAGES = (1, 5), (1,)


def asked(text: str, file: str | None) -> list[Prompt]:
    """The prompts of the file, or the lines of the box."""
    found = read(file) if file else [Prompt(t.strip()) for t in (text or "").splitlines()]
    found = [p for p in found if p.text]
    if not 1 <= len(found) <= MOST:
        raise InputError(
            f"There are {len(found)} prompts. Give 1 to {MOST}; the command takes more."
        )
    return found


def page(result: dict[str, Any]) -> str:
    """Prompts by their score, and the quality of each reading."""
    names = list(result["readings"])
    ranked = sorted(result["prompts"], key=lambda p: -p["scores"][names[0]])
    return html.render(
        "ui/transition/detect_scores.html",
        band=result["band"],
        names=names,
        reading=reading,
        prompts=ranked,
    )


def reading(name: str) -> str:
    """`k5_n4` in words."""
    steps, _, images = name.partition("_")
    of = {"all": "all steps", "k1": "1 step"}.get(steps, f"{steps[1:]} steps")
    return of if images == "n1" else f"{of}, {images[1:]} pictures"


def quality(name: str, told: dict[str, Any]) -> str:
    """How well a reading tells, in words."""
    low, high = told["auc_interval"]
    hard = f"; against hard negatives {told['hard']['auc']:.3f}" if told["hard"] else ""
    least, most = told["tpr_at_1_fpr_interval"]
    near = f"at the rate nearest to 1 % ({told['fpr_nearest']:.3f}) {told['tpr_nearest_1_fpr']:.2f}"
    if not told["fpr_nearest"]:  # the first point of the curve, where nothing is found yet
        near = "with too few ordinary prompts for the rate nearest to 1 %"
    return (
        f"{reading(name).capitalize()}: AUC {told['auc']:.3f} ({low:.3f} to {high:.3f}){hard}; "
        f"true positives at fewer than 1 % false ones {told['tpr_at_1_fpr']:.2f} ({least:.2f} to "
        f"{most:.2f}), {near}."
    )


def curves(result: dict[str, Any], command: str) -> dict[str, Any]:
    """The ROC of each reading as `roc.js` draws it; nothing where the prompts have no labels."""
    readings = [
        {"name": reading(name), "words": quality(name, told), "roc": told["roc"]}
        for name, told in result["readings"].items()
        if told
    ]
    return {"readings": readings, "command": command}


def detect(
    text: str,
    file: str | None,
    model: str,
    steps: float,
    progress: gr.Progress = gr.Progress(),  # noqa: B008 - Gradio looks for it here
) -> tuple[str, dict[str, Any]]:
    """Score the prompts, or say why not; then the ROC."""
    try:
        found = asked(text, file)
        from memviz.detection.scores import Detection, detect

        wanted = Detection(found, model, controls.plain(steps), used=USED, images=IMAGES)
        if access.current_visitor():
            check_size(len(found) * wanted.steps)
        with MACHINE:
            result = detect(wanted, lambda words: progress(0, desc=words))
        return page(result), curves(result, command(file, wanted))
    except MemvizError as error:
        return messages.notice(str(error)), {}


def command(file: str | None, asked: "Detection") -> str:
    """The same from a terminal."""
    used, images = (",".join(map(str, some)) for some in (asked.used, asked.images))
    words = ["python", "-m", "memviz", "detect", Path(file).name if file else "PROMPTS.txt"]
    words += ["--model", asked.model, "--steps", str(asked.steps)]
    return shlex.join([*words, "--steps-used", used, "--images", images])


class Roc(Component):
    """How well each reading tells, as `curves` gives it."""

    module = "transition/roc.js"


def build(model: gr.Dropdown, steps: gr.Number) -> None:
    """The panel: prompts in, scores out."""
    example = "\n".join(p for group in examples.examples().values() for p in group[:4])
    with gr.Row():
        text = gr.Textbox(example, label="Prompts, one a line", lines=6, min_width=300,
                          elem_id="t-prompts")  # fmt: skip
        file = gr.File(
            label="or a list: text, jsonl, csv, parquet; with labels, if it has them",
            file_types=[".txt", ".jsonl", ".csv", ".parquet", ".json"],
            type="filepath",
            min_width=300,
        )
    take_words(text)
    button = gr.Button("Score these prompts", elem_id="t-detect")
    scores = gr.HTML(elem_id="t-scores")
    shown = [scores, Roc({}, elem_id="t-roc")]
    button.click(detect, [text, file, model, steps], shown, concurrency_id="gpu",
                 api_visibility="private")  # fmt: skip
