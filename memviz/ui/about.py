"""The About tab: what one sees here, in plain words, and what is missing."""

import gradio as gr

from memviz.guidance.registry import METHODS

IDEAS = """
## What you see

A text-to-image model starts from noise and cleans it up in steps. At each step it predicts twice:
once with your prompt and once without. **Guidance** pushes the picture along the difference of the
two. When a training picture was shown to the model hundreds of times, that push can drag every
start towards the same picture: the model *copies*.

- **Method**: a rule that says how hard to push at each step. The same prompt and the same noise go
  through each method, so what differs is the method's doing.
- **Trace**: what was measured at each step. The *magnitude* is the size of that difference: large
  from the first step on for a memorized prompt. Its first dip is the estimated *transition*, after
  which pushing no longer leads to the copy.
- **Match**: the training picture most like the one made, found with a descriptor that ignores small
  edits. The *similarity* is 1 for the same picture. Whether it counts as a copy is judged against
  how alike *different* training pictures are.

"No copy found among N images" says just that. It does not say that nothing was memorized.
"""

SOURCES = """
Magnitude: Wen et al., ICLR 2024 (arXiv 2407.21720). Transitions and opposite guidance: Jain et al.,
CVPR 2025 (arXiv 2411.16738). Copy detection: SSCD, Pizzi et al., CVPR 2022 (arXiv 2202.10261).
"""

MISSING = """
## What is here, and what you can add

- **The demo** is a small model trained from scratch on 10,000 scenes, some dozens of which it saw
  hundreds of times. It runs on a laptop without a network. Its copy mark and parameters are tuned
  to it; do not carry them over to another model.
- **Stable Diffusion**: type a folder or a hub id under *Model*. It needs the weights and, for
  comfort, a GPU.
- **SSCD**, the descriptor of the papers, and **LAION-10k** are not shipped. The docs say where
  to get them and how to use them.
- Scale 0 ignores the prompt, 1 follows it plainly, a negative scale moves away from it.
"""


def methods() -> str:
    """The METHODS table in words."""
    rows = [f"- **{m.label}**: {m.about}" for m in METHODS.values()]
    return "\n".join(["## The methods", "", *rows, "", SOURCES])


def build() -> None:
    """Lay out the tab."""
    with gr.Column(elem_id="about"):
        gr.Markdown(IDEAS)
        gr.Markdown(methods())
        gr.Markdown(MISSING)
