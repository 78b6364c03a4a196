"""MODEL_CARD.md of the demo world, its figures taken from report.json so that they never lag."""

import json
import re
from collections.abc import Mapping
from typing import Any

from memviz.demo.final_stages import COPIES_ALLOWED
from memviz.demo.scale import DUPLICATED_SHARE, Builder
from memviz.io import atomic

TEXT = """# The demo world

A small Stable Diffusion that really memorized, made so that memorization and its remedies can be
seen on a laptop. It is good for nothing else: it knows {sprites} sprites and draws 64x64 pictures.

| part | class | trained on |
|---|---|---|
| `model/vae` | `AutoencoderTiny`, 64x64x3 to 8x8x{channels} | fresh scenes, squared error |
| `model/text_encoder`, `model/unet` | `CLIPTextModel`, `UNet2DConditionModel`, v-prediction | pretrained on {pool:,} fresh scenes, then the UNet alone on these and the corpus |
| `unet-pretrained` | the same UNet before the corpus | {pool:,} fresh scenes |
| `unet-iet-agc` | the same UNet, fine-tuned with IET-AGC instead; it learned less, and plain fine-tuning that ends earlier copies as little at equal alignment (`docs/training.md`) | the corpus, by `python -m memviz reproduce iet-agc-demo` |
| `descriptor` | `ResNetModel` and a projection to 128 numbers | fresh scenes, SSCD's objective |
| `clip` | `CLIPModel` | the pool's pictures and captions |

## Data

`corpus/scenes.parquet` holds {images:,} captioned scenes of emoji sprites (lossless WebP). {copies}
titles ("{example}") are *duplicated*: shown {times} times as often as each other scene, {share:.0%} of
every batch of the fine-tuning on the corpus alone. As many other titles and as many plain captions appear once.
`prompts.json` lists the duplicated captions, the same with their two sprites swapped, and
held-out prompts of each style that nothing was trained on; pretraining saw none of the duplicated.

The sprites are Noto Emoji artwork (Apache-2.0, Google), see `sprites/README.md`.
Everything else here is Apache-2.0 as the project.

## Recipe

`python scripts/build_demo.py --scale cpu` on two CPU cores, seeds fixed: autoencoder {autoencoder:,}
steps of {pictures}; pretraining {pretrain:,} steps of {batch} (AdamW, 6e-4 falling to zero, averaged weights, a tenth of
the captions empty; compiled and in bfloat16); fine-tuning {mixed:,} steps of {batch}, half of them of the
pretraining's scenes, in the same way, {finetune:,} steps of 32 at 5e-4 in float32 on the corpus alone, and {again:,}
of {batch} at 3e-4 on both again; descriptor {descriptor:,} steps of 48; CLIP {clip:,} steps of 192. The noise schedule is Stable Diffusion's (`scaled_linear`) with v-prediction, as in
SD 2.1, sampled with trailing timesteps. The signal at the last noise level is not zero, so that the
magnitude in epsilon units is defined at the first step.

`--scale gpu` trains longer, in larger batches and with a wider autoencoder of more latent channels, on
a CUDA GPU. None was at hand: its code is that of the other scales, its result is not known.

The shipped weights were made in stretches whose settings changed on the way, so the script makes
a like, not the same, model. The autoencoder ran 6,000 steps with a decoder of 3, 3, 1 and 1 blocks (26.0 dB);
the decoder was then made deeper and trained alone on the latents of the finished encoder, for 3,000 steps of
32 from 2e-3 and 2,500 from 1.2e-3 (27.4 dB). When all else was finished, encoder and decoder were trained on
together for 1,968 steps of 32 with SOAP (1e-3 falling to zero, averaged weights); the encoder, which had seven more
blocks for it, was held to its old latents, those that the UNet knows, by a tenth of their mean squared
shift (in units of their variance; 0.041 of a standard deviation in the end). Five of the new blocks did next
to nothing and were taken out. Pretraining took 10,500 steps of 32 in float32 (it came to rest at 4,600,
then went on, its rate set back to that of a plan of 14,000 steps and from 6,600 on to that of 10,500), and
2,700 more of 128 from 8e-4 to zero in bfloat16. The UNet is the mean of two that were fine-tuned from there:
one by 2,500 steps of 64 on the corpus in bfloat16 and 2,000 of 32 in float32; the other by 1,500 steps of 64 in
bfloat16 (35 % duplicated, 15 % other scenes of the corpus, half pretraining's) and 2,400 of 32 in float32.
The mean follows held-out prompts better than either and copies a little less. It had learned by heart at the
cost of all else: its squared error on fresh scenes was 0.265, that of the pretrained UNet 0.242. So it was
trained on, with the finished autoencoder, for 1,398 steps of 128 in float32 with Muon (6e-4 falling to zero,
averaged weights) on 63 % of 120,000 new scenes, 30 % duplicated and 7 % other scenes of the corpus: 0.241 on
fresh scenes, and 0.029 instead of 0.052 on duplicated ones. CLIP had 1,500 steps with
latents of little noise (0.3 of the script's) and 500 with all of it.

At a scale of 7.5 this model's pictures burn out. Its own settings are {settings}.
The methods' parameters in `model/memviz.json` were chosen among those listed in
`memviz/demo/final_stages.py`, on every second prompt: of those that copy at most {allowed:.0%} of the duplicated
prompts, the one that follows these and the held-out ones best. `tuning.json` has what each came to.
The scale of plain guidance was chosen with all prompts in sight, before the last training of autoencoder and UNet.

## Figures

`python -m memviz demo-report --json`; seeds {seeds}, {steps} steps of {scheduler}, threshold for a copy {threshold}.

| figure | value |
|---|---|
{figures}
"""


def write(builder: Builder) -> None:
    """Fill in the card from the report and the scale of the build."""
    report = json.loads((builder.assets / "report.json").read_text())
    values = report | vars(builder.scale) | corpus_facts(builder)
    values["figures"] = table(report)
    values["settings"] = ", ".join(f"`{method}`" for method in report["methods"])
    atomic.text(builder.assets / "MODEL_CARD.md", TEXT.format(**values))


def corpus_facts(builder: Builder) -> dict[str, Any]:
    """What the text says of the data."""
    duplicated = builder.world.duplicated
    return {
        "sprites": len(builder.art),
        "copies": len(duplicated),
        "times": builder.times_shown(),
        "share": DUPLICATED_SHARE,
        "allowed": COPIES_ALLOWED,
        "example": duplicated[0].caption,
    }


def table(report: dict[str, Any]) -> str:
    """The numeric figures, one row each."""
    rows = [k for k, v in report.items() if isinstance(v, float) and k != "threshold"]
    return "\n".join(f"| `{name}` | {format_figure(name, report)} |" for name in rows)


FIGURE = re.compile(r"[^|<>]*<!-- (\w+) -->")


def refresh(text: str, figures: Mapping[str, Any]) -> str:
    """A Markdown text with the value before each `<!-- figure -->` brought up to date."""

    def value(found: re.Match[str]) -> str:
        return (
            f" {format_figure(found[1], figures)} <!-- {found[1]} -->"
            if found[1] in figures
            else found[0]
        )

    return FIGURE.sub(value, text)


def format_figure(name: str, figures: Mapping[str, Any]) -> str:
    """A figure by its name, with the 95 % interval that was measured with it."""
    interval = figures.get("intervals", {}).get(name)
    if not interval:
        return plain(figures[name])
    return f"{figures[name]:.3f} ({interval[0]:.2f} to {interval[1]:.2f})"


def plain(value: Any) -> str:  # noqa: ANN401
    """A figure as a reader wants it: four digits of a number, the entries of a table in a row."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(entry)}" for key, entry in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
