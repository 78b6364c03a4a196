"""Scores of whole lists of prompts: which look memorized, and how well the score tells."""

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from memviz.prompts import Prompt, read
from memviz.ui import compare, form

MOST = 500  # prompts of one press
SIDE = 160  # pixels of the ROC
USED, IMAGES = (1, 5), (1,)


def asked(text: str, file: str | None) -> list[Prompt]:
    """The prompts of the file, or the lines of the box."""
    found = read(file) if file else [Prompt(t.strip()) for t in (text or "").splitlines()]
    found = [p for p in found if p.text]
    if not 1 <= len(found) <= MOST:
        raise ValueError(
            f"There are {len(found)} prompts. Give 1 to {MOST}; the command takes more."
        )
    return found


def page(result: dict[str, Any]) -> str:
    """Prompts by their score, and the quality of each reading."""
    names = list(result["readings"])
    ranked = sorted(result["prompts"], key=lambda p: -p["scores"][names[0]])
    head = "".join(f'<th scope="col">{n.replace("_", ", ")}</th>' for n in names)
    rows = "".join(row(p, names) for p in ranked)
    told = "".join(quality(n, r) for n, r in result["readings"].items() if r)
    return (
        f'<p>{html.escape(result["band"])}</p>{told}<div class="mvt-scroll" tabindex="0" '
        f'role="region" aria-label="Scores"><table><thead><tr><th scope="col">Prompt</th>{head}'
        f'<th scope="col">Verdict</th><th scope="col">Label</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def row(prompt: dict[str, Any], names: Sequence[str]) -> str:
    """One prompt."""
    scores = "".join(f"<td>{prompt['scores'][n]:.3f}</td>" for n in names)
    return (
        f'<tr><th scope="row">{html.escape(prompt["prompt"])}</th>{scores}'
        f"<td>{prompt['verdict']}</td><td>{prompt['label'] or '–'}</td></tr>"
    )


def quality(name: str, told: dict[str, Any]) -> str:
    """How well a reading tells, beside its ROC."""
    low, high = told["auc_interval"]
    hard = f"; against hard negatives {told['hard']['auc']:.3f}" if told["hard"] else ""
    text = (
        f"{name.replace('_', ', ')}: AUC {told['auc']:.3f} ({low:.3f} to {high:.3f}){hard}. "
        f"True positives at fewer than 1 % false ones: {told['tpr_at_1_fpr']:.2f}; at the rate "
        f"nearest to 1 % ({told['fpr_nearest']:.3f}): {told['tpr_nearest_1_fpr']:.2f}."
    )
    return f'<div class="mvt-roc">{curve(told["roc"])}<p>{text}</p></div>'


def curve(roc: dict[str, list[float]]) -> str:
    """The ROC as a small picture."""
    pairs = zip(roc["fpr"], roc["tpr"], strict=True)
    points = " ".join(f"{SIDE * x:.1f},{SIDE * (1 - y):.1f}" for x, y in pairs)
    return (
        f'<svg viewBox="-2 -2 {SIDE + 4} {SIDE + 4}" width="{SIDE}" role="img" '
        f'aria-label="ROC curve"><rect width="{SIDE}" height="{SIDE}" fill="none" '
        f'stroke="currentColor" opacity="0.3"/><path d="M0 {SIDE}L{SIDE} 0" stroke="currentColor" '
        f'opacity="0.3"/><polyline points="{points}" fill="none" stroke="var(--color-accent)" '
        f'stroke-width="2.5"/></svg>'
    )


def detect(
    text: str,
    file: str | None,
    model: str,
    steps: float,
    progress: gr.Progress = gr.Progress(),  # noqa: B008 - Gradio looks for it here
) -> str:
    """Score the prompts, or say why not."""
    try:
        found = asked(text, file)
        from memviz.evaluation.detect import Detection, detect

        wanted = Detection(found, model, form.plain(steps), used=USED, images=IMAGES)
        return page(detect(wanted, lambda words: progress(0, desc=words)))
    except ValueError as error:
        return compare.notice(str(error))


def build(model: gr.Dropdown, steps: gr.Number) -> None:
    """The panel: prompts in, scores out."""
    example = "\n".join(p for group in compare.examples().values() for p in group[:4])
    with gr.Row():
        text = gr.Textbox(example, label="Prompts, one a line", lines=6, elem_id="t-prompts")
        file = gr.File(
            label="or a list: text, jsonl, csv, parquet; with labels, if it has them",
            file_types=[".txt", ".jsonl", ".csv", ".parquet", ".json"],
            type="filepath",
        )
    button = gr.Button("Score these prompts", elem_id="t-detect")
    scores = gr.HTML(elem_id="t-scores")
    button.click(detect, [text, file, model, steps], scores, concurrency_id="gpu",
                 api_visibility="private")  # fmt: skip
