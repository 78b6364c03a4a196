"""What a table of an evaluation can show: a row per column, with its meaning and its better end."""

from dataclasses import dataclass
from typing import Literal

Judge = Literal["", "descriptor", "clip", "inception"]


@dataclass(frozen=True)
class Column:
    """A figure of a method: what it is, which end is better, and which network it needs."""

    about: str
    better: Literal["low", "high", ""] = ""
    judge: Judge = "descriptor"
    corpus: bool = False  # it is taken against training pictures


def _percentile(p: int, of: str) -> str:
    return f"{p}th percentile of {of}"


TOP = "each picture's similarity to the nearest training picture"
NULL = "each training picture's similarity to the nearest other one"
COLUMNS: dict[str, Column] = {
    "sim_mean": Column(f"mean of {TOP}", "low", corpus=True),
    "sim_std": Column(f"standard deviation of {TOP}", corpus=True),
    **{f"sim_{p}pc": Column(_percentile(p, TOP), "low", corpus=True) for p in (75, 90, 95)},
    "sim_gt_05pc": Column("share of pictures above a similarity of 0.5", "low", corpus=True),
    "copied": Column("share of pictures from the descriptor's own copy mark on", "low", corpus=True),
    "sim_max": Column("similarity of each prompt's worst picture, mean over prompts", "low", corpus=True),
    "sim_top3": Column("mean of each prompt's three worst pictures", "low", corpus=True),
    "bg_mean": Column(f"mean of {NULL}", corpus=True),
    "bg_std": Column(f"standard deviation of {NULL}", corpus=True),
    **{f"bg_{p}pc": Column(_percentile(p, NULL), corpus=True) for p in (75, 90, 95)},
    "own_mean": Column("similarity to the prompt's own training pictures (the nearest), mean", "low", corpus=True),
    "own_95pc": Column(_percentile(95, "the similarity to the prompt's own training pictures"), "low", corpus=True),
    "own_max": Column("the same of each prompt's worst picture, mean over prompts", "low", corpus=True),
    "own_min": Column("the same of each prompt's best picture, mean over prompts", "low", corpus=True),
    "own_top3": Column("mean of the three worst pictures of each prompt, to its own training pictures", "low", corpus=True),
    "own_gt_05pc": Column("share above 0.5 to the prompt's own training pictures", "low", corpus=True),
    "unmitigated": Column("similarity to the picture that plain guidance makes of the same noise", "low"),
    "diversity": Column("1 - cosine between the pictures of a prompt, mean over pairs", "high"),
    "clipscore": Column("cosine of CLIP's embeddings of picture and prompt, mean", "high", "clip"),
    "clipscore_dcr": Column("the same with the pictures prepared as DCR does", "high", "clip"),
    "clipscore_bg": Column("the same of training pictures with their captions, as DCR does", "", "clip", True),
    "cmmd": Column("CMMD to training pictures, by the protocol's CLIP", "low", "clip", True),
    "fid": Column("Fréchet Inception distance to training pictures", "low", "inception", True),
    "fid-clean": Column("the same after a clean resize", "low", "inception", True),
    "fid-dcr": Column("the same with pictures normalized twice, as published by DCR", "low", "inception", True),
    "kid": Column("kernel Inception distance to training pictures", "low", "inception", True),
    "cc_ent": Column("correlation of similarity with the match's entropy", corpus=True),
    "cc_comp": Column("correlation of similarity with the match's size as JPEG", corpus=True),
    "cc_tvl": Column("correlation of similarity with the match's total variation", corpus=True),
    "cc_mixed": Column("correlation of similarity with entropy times root of the size", corpus=True),
    "evaluations": Column("UNet evaluations a picture would need alone, mean", "low", ""),
    "seconds": Column("seconds a picture, in batches as they were made", "low", ""),
    "cost": Column("the evaluations as a multiple of plain guidance's", "low", ""),
    **{
        f"{what}_{k}_{n}": Column(f"{about}, first {k} steps, {n} pictures a prompt", "high", "")
        for k in ("k1", "k10", "all")
        for n in ("n1", "n4")
        for what, about in (
            ("auc", "area under the ROC curve of the magnitude"),
            ("acc", "best accuracy of the magnitude"),
            ("tpr", "true positive rate at 1 % false positives"),
        )
    },
}  # fmt: skip
DETECTION = tuple(name for name in COLUMNS if name.partition("_")[0] in ("auc", "acc", "tpr"))
