"""Which CLIP tells how well a picture fits its prompt. Needs no torch.

Scores of different CLIPs cannot be set beside each other, so a paper's figure wants its own.
"""

from collections.abc import Mapping
from typing import Any

AUTO = "auto"  # the one that the model's own memviz.json names; none where it names none
NONE = "none"
DEMO = "demo"  # trained on the demo's scenes: of other pictures it knows nothing
NAMES = {  # the papers' choices
    "vit-b-16": "openai/clip-vit-base-patch16",  # DCR, Jain et al., IET-AGC
    "vit-l-14": "openai/clip-vit-large-patch14",
    "vit-g-14": "laion/CLIP-ViT-g-14-laion2B-s12B-b42K",  # Wen et al., MemBench
    "vit-h-14": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",  # Jeon et al.
}
CHOICES = (AUTO, DEMO, *NAMES, NONE)
HELP = f"of the alignment: {', '.join(CHOICES)}, a folder or a hub id (default: %(default)s)"


def choose_clip(name: str, own: Mapping[str, Any]) -> str:
    """The demo's by its name, a hub id or a folder; empty where alignment is not measured.

    `own` is what the model's memviz.json says.
    """
    if name in ("", AUTO):
        name = str(own.get("clip") or NONE)
    return "" if name == NONE else NAMES.get(name, name)
