"""The contact sheet: what the demo learned by heart, and what each method makes of its caption."""

from collections.abc import Sequence
from itertools import product

from PIL import Image, ImageDraw, ImageFont

from memviz.demo.report import Report
from memviz.demo.scenes import SIDE
from memviz.guidance.registry import CORE, METHODS
from memviz.retrieval.copy_detector import best_similarity
from memviz.sampling.generate import Generated
from memviz.sampling.types import Request

ZOOM = 3  # at which a person names what is on a 64-pixel picture
CELL = ZOOM * SIDE
WORDS = {"copied": "copied", "close": "close", "none": "no copy found"}
GAP, HEAD, LINE = 12, 40, 26  # pixels between pictures, above them, and below each


def contact_sheet(group: str = "duplicated", prompts: int = 6, seed: int = 0) -> Image.Image:
    """One row per prompt: its training picture (of a duplicated one), then every method's.

    The methods stand at the demo model's own parameters, all rows start from the noise of `seed`.
    """
    judge = Report()
    chosen = judge.prompts[group][:prompts]
    asked = [Request(p, seed, judge.guidance(k)) for p, k in product(chosen, CORE)]
    made = judge.make(asked)
    titles = [METHODS[k].label for k in CORE]
    notes = captions(judge, made)
    rows = [made[i : i + len(CORE)] for i in range(0, len(made), len(CORE))]
    pictures = [[m.image for m in row] for row in rows]
    if group == "duplicated":
        titles.insert(0, "In the training set")
        for i, row in enumerate(pictures):
            row.insert(0, judge.detector.corpus.image(judge.detector.corpus.ids[i]))
            notes.insert(i * len(titles), "")
    return mounted(chosen, titles, pictures, notes)


def captions(judge: Report, made: Sequence[Generated]) -> list[str]:
    """Similarity to the nearest training picture, and the verdict on it."""
    kinds = [judge.detector.judge(m.matches).kind for m in made]
    return [
        f"{best_similarity(m.matches):.2f} {WORDS[k]}" for m, k in zip(made, kinds, strict=True)
    ]


def mounted(
    prompts: Sequence[str],
    titles: Sequence[str],
    pictures: Sequence[Sequence[Image.Image]],
    notes: Sequence[str],
) -> Image.Image:
    """Pictures in rows under their titles, a prompt above each row, a note below each picture."""
    high = HEAD + CELL + LINE
    sheet = Image.new(
        "RGB", (len(titles) * (CELL + GAP) + GAP, LINE + len(prompts) * high), "white"
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, title in enumerate(titles):
        pen.text((GAP + column * (CELL + GAP), 8), title, "#1b2333", font)
    for row, prompt in enumerate(prompts):
        top = LINE + row * high + HEAD
        pen.text((GAP, top - 22), f"“{prompt}”", "#4a5468", font)
        for column, picture in enumerate(pictures[row]):
            left = GAP + column * (CELL + GAP)
            sheet.paste(picture.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
            note = notes[row * len(titles) + column]
            pen.text((left, top + CELL + 4), note, "#4a5468", font)
    return sheet
