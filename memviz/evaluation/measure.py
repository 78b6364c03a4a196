"""The columns of a protocol for the pictures of one method: numbers per picture, then estimates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memviz.evaluation.columns import COLUMNS
from memviz.evaluation.judges import (
    clip_judge,
    corpus_features,
    descriptor_judge,
    inception_judge,
    picture_features,
)
from memviz.evaluation.metrics import complexity, copying
from memviz.evaluation.metrics.clip_score import clip_score
from memviz.evaluation.metrics.diversity import diversity
from memviz.evaluation.metrics.frechet import frechet_distance, moments
from memviz.evaluation.metrics.mmd import cmmd, kid
from memviz.retrieval.dcr_statistics import statistics
from memviz.statistics import (
    Estimate,
    estimate_difference,
    estimate_mean,
    estimate_share,
    estimate_statistic,
)

if TYPE_CHECKING:
    from memviz.evaluation.pictures import Pictures
    from memviz.evaluation.protocols import Protocol
    from memviz.retrieval.clip import Clip
    from memviz.retrieval.copy_detector import CopyDetector

STATISTICS: dict[str, Callable[[np.ndarray], float]] = {
    "std": np.std,
    **{f"{p}pc": partial(np.percentile, q=p) for p in (75, 90, 95)},
}
FRECHET = ("fid", "fid-clean", "fid-dcr")
CORRELATIONS = ("cc_ent", "cc_comp", "cc_tvl", "cc_mixed")


@dataclass(frozen=True)
class Judging:
    """What looks at the pictures of a protocol; None where no column needs it."""

    columns: tuple[str, ...]
    detector: "CopyDetector | None" = None
    clip: "Clip | None" = None
    preparation: str = "own"  # of the CLIP that training pictures are scored with
    reference: int | None = None
    cache: Path = field(default_factory=Path)  # where features of pictures are kept

    def wants(self, names: Iterable[str]) -> bool:
        """Whether one of these columns is asked for."""
        return any(name in self.columns for name in names)


@dataclass(frozen=True)
class Measured:
    """What is known of the pictures of one method."""

    prompts: Sequence[str]
    pictures: Mapping[str, np.ndarray]  # (N,) each: sim, nearest (an id), own, clipscore, ...
    whole: Mapping[str, float]  # figures of all pictures together
    vectors: np.ndarray | None = None  # (N, D) of the descriptor
    copied: float = 1.0  # the descriptor's own copy mark

    def number(self) -> list[int]:
        """The prompt of each picture as a number: a prompt that was drawn twice is one."""
        places = {prompt: i for i, prompt in enumerate(dict.fromkeys(self.prompts))}
        return [places[prompt] for prompt in self.prompts]


def load_judging(protocol: "Protocol", columns: tuple[str, ...], cache: Path) -> Judging:
    """Load the networks that these columns need; the corpus is indexed first where it is new."""
    from memviz import resources

    judges = {COLUMNS[name].judge for name in columns}
    has_corpus = any(COLUMNS[name].corpus for name in columns)
    looks = "descriptor" in judges or has_corpus
    return Judging(
        columns,
        resources.load_detector(protocol.corpus, protocol.descriptor) if looks else None,
        resources.load_clip(protocol.clip) if "clip" in judges else None,
        protocol.clip_preparation,
        protocol.reference,
        cache,
    )


def measure(judging: Judging, pictures: "Pictures", plain: Measured | None = None) -> Measured:
    """Look at the pictures of one method; `plain` are those of the same noise under CFG."""
    found: dict[str, np.ndarray] = {}
    whole: dict[str, float] = {}
    vectors = None
    if judging.detector is not None:
        vectors = picture_features(
            descriptor_judge(judging.detector.descriptor), pictures, judging.cache
        )
        look_up(judging, pictures, vectors, found, whole)
    if (seeds := pictures.values("seed")) is not None:
        found["seed"] = np.array(seeds)
    paired = plain is not None and same_noise(plain, Measured(pictures.prompts, found, whole))
    if plain is not None and paired and vectors is not None and plain.vectors is not None:
        found["unmitigated"] = copying.pair_similarity(vectors, plain.vectors)
    if judging.clip is not None:
        read_prompts_with_pictures(judging, judging.clip, pictures, found, whole)
    measure_distances(judging, pictures, whole)
    for name in ("evaluations", "seconds"):
        if (values := pictures.values(name)) is not None:
            found[name] = np.array(values)
    if plain is None and "evaluations" in found:
        whole["cost"] = 1.0
    elif plain is not None and "evaluations" in found and "evaluations" in plain.pictures:
        whole["cost"] = float(found["evaluations"].mean() / plain.pictures["evaluations"].mean())
    mark = judging.detector.thresholds.copied if judging.detector else 1.0
    return Measured(pictures.prompts, found, whole, vectors, mark)


def look_up(
    judging: Judging,
    pictures: "Pictures",
    vectors: np.ndarray,
    found: dict[str, np.ndarray],
    whole: dict[str, float],
) -> None:
    """Similarities to the corpus and to the prompts' own training pictures."""
    detector = judging.detector
    if detector is None or not judging.wants(n for n, c in COLUMNS.items() if c.corpus):
        return
    similarity, ids = detector.index.search(vectors, 1)
    found["sim"], found["nearest"] = similarity[:, 0], ids[:, 0]
    null = statistics(found["sim"], detector.index.background)
    whole |= {name: value for name, value in null.items() if name.startswith("bg_")}
    if judging.wants(name for name in COLUMNS if name.startswith("own_")):
        found["own"] = own_similarities(detector, pictures, vectors)
    if judging.wants(CORRELATIONS):
        matched = sorted({int(id) for id in ids[:, 0]})
        images = complexity.complexity([detector.corpus.image(id) for id in matched])
        at = np.searchsorted(matched, ids[:, 0])
        each = {name: values[at] for name, values in images.items()}
        whole |= complexity.correlations(each, found["sim"])


def own_similarities(
    detector: "CopyDetector", pictures: "Pictures", vectors: np.ndarray
) -> np.ndarray:
    """(N,) to the nearest training picture of the prompt; nan where the corpus has none of it."""
    wanted = own_ids(detector, pictures.prompts)
    row = {int(id): i for i, id in enumerate(detector.index.ids)}
    used = sorted({row[id] for ids in wanted.values() for id in ids if id in row})
    if not used:
        return np.full(len(vectors), np.nan, np.float32)
    place = {r: i for i, r in enumerate(used)}
    references = np.asarray(detector.index.vectors[used], np.float32)
    own = [[place[row[id]] for id in wanted[p] if id in row] for p in pictures.prompts]
    return copying.own_similarity(vectors, references, own)


def own_ids(detector: "CopyDetector", prompts: Sequence[str]) -> dict[str, list[int]]:
    """The training pictures of each prompt: those whose caption it is.

    Where there are no captions but numbered folders (Wen et al.'s ground truth), those of the
    folder with the number of the prompt, in the order of the prompts.
    """
    corpus = detector.corpus
    distinct = list(dict.fromkeys(prompts))
    found: dict[str, list[int]] = {prompt: [] for prompt in distinct}
    if any(corpus.captions):
        by_text = {" ".join(prompt.split()): prompt for prompt in distinct}
        for id, caption in zip(corpus.ids, corpus.captions, strict=True):
            for text in (caption, *corpus.other_captions(id)):
                if (prompt := by_text.get(" ".join(text.split()))) is not None:
                    found[prompt].append(id)
        return found
    for id, file in zip(corpus.ids, corpus.column("file"), strict=True):
        number = Path(file).parent.name
        if number.isdigit() and int(number) < len(distinct):
            found[distinct[int(number)]].append(id)
    return found


def read_prompts_with_pictures(
    judging: Judging,
    clip: "Clip",
    pictures: "Pictures",
    found: dict[str, np.ndarray],
    whole: dict[str, float],
) -> None:
    """CLIP's scores in both preparations, and its distance to training pictures."""
    corpus = judging.detector.corpus if judging.detector else None
    texts = text_features(clip, pictures.prompts)
    for name, preparation in (("clipscore", "own"), ("clipscore_dcr", "dcr")):
        if judging.wants((name,)):
            images = picture_features(clip_judge(clip, preparation), pictures, judging.cache)
            found[name] = clip_score(images, texts)
    if corpus is not None and judging.wants(("clipscore_bg",)):
        ids, rows = corpus_features(
            clip_judge(clip, judging.preparation), corpus, judging.reference
        )
        captions = text_features(clip, [corpus.caption(id) for id in ids])
        whole["clipscore_bg"] = float(clip_score(rows, captions).mean())
    if corpus is not None and judging.wants(("cmmd",)):
        judge = clip_judge(clip, "own")
        images = picture_features(judge, pictures, judging.cache)
        whole["cmmd"] = cmmd(images, corpus_features(judge, corpus, judging.reference)[1])


def text_features(clip: "Clip", texts: Sequence[str]) -> np.ndarray:
    """(N, D), each distinct text read once."""
    distinct = list(dict.fromkeys(texts))
    rows = np.concatenate([clip.texts(distinct[i : i + 256]) for i in range(0, len(distinct), 256)])
    place = {text: i for i, text in enumerate(distinct)}
    return rows[[place[text] for text in texts]]


def measure_distances(judging: Judging, pictures: "Pictures", whole: dict[str, float]) -> None:
    """Fréchet distances in each preparation, and KID on the features of the first."""
    corpus = judging.detector.corpus if judging.detector else None
    if corpus is None:
        return
    for way in FRECHET:
        if judging.wants((way, "kid") if way == "fid" else (way,)):
            judge = inception_judge(way)
            mine = picture_features(judge, pictures, judging.cache)
            theirs = corpus_features(judge, corpus, judging.reference)[1]
            whole[way] = frechet_distance(moments([mine]), moments([theirs]))
            if way == "fid" and judging.wants(("kid",)):
                whole["kid"] = kid(mine, theirs).mean


def estimate(name: str, measured: Measured) -> Estimate | None:
    """A column with its interval where it has one; None where these pictures do not tell it."""
    if name in measured.whole:
        value = measured.whole[name]
        return Estimate(value) if np.isfinite(value) else None
    if (values := per_picture(name, measured)) is not None:
        known = np.isfinite(values.astype(float))
        prompts = [p for p, ok in zip(measured.prompts, known, strict=True) if ok]
        if not prompts:
            return None
        shares = values.dtype == bool
        return (estimate_share if shares else estimate_mean)(values[known], prompts)
    if (values := per_prompt(name, measured)) is not None:
        values = values[np.isfinite(values)]
        return estimate_mean(values) if len(values) else None
    source, _, kind = name.partition("_")
    if kind in STATISTICS and source in measured.pictures:
        values = measured.pictures[source]
        known = np.isfinite(values)
        prompts = [p for p, ok in zip(measured.prompts, known, strict=True) if ok]
        return estimate_statistic(STATISTICS[kind], values[known], prompts) if prompts else None
    return None


def estimate_change(name: str, measured: Measured, plain: Measured) -> Estimate | None:
    """How much a column changes from plain guidance on the same prompts and noise."""
    if not same_noise(measured, plain):
        return None
    for by, prompts in ((per_picture, measured.prompts), (per_prompt, None)):
        mine, theirs = by(name, measured), by(name, plain)
        if mine is None or theirs is None or len(mine) != len(theirs):
            continue
        mine, theirs = mine.astype(float), theirs.astype(float)
        known = np.isfinite(mine) & np.isfinite(theirs)
        if known.any():
            named = prompts and [p for p, ok in zip(prompts, known, strict=True) if ok]
            return estimate_difference(mine[known], theirs[known], named)
    return None


def same_noise(a: Measured, b: Measured) -> bool:
    """The same prompts in the same order, and the same seeds as far as the pictures tell them."""
    mine, theirs = a.pictures.get("seed"), b.pictures.get("seed")
    if mine is None or theirs is None:
        return list(a.prompts) == list(b.prompts) and mine is theirs
    return list(a.prompts) == list(b.prompts) and np.array_equal(mine, theirs)


def per_picture(name: str, measured: Measured) -> np.ndarray | None:
    """(N,) whose mean, or share, a column is; None for other columns."""
    source, _, kind = name.partition("_")
    values = measured.pictures
    if name == "copied" and "sim" in values:
        return values["sim"] >= measured.copied
    if kind == "mean" and source in values:
        return values[source]
    if kind == "gt_05pc" and source in values:
        return values[source] > copying.COPY
    return values.get(name)


def per_prompt(name: str, measured: Measured) -> np.ndarray | None:
    """(P,) whose mean a column is; None for other columns."""
    if name == "diversity" and measured.vectors is not None:
        return diversity(measured.vectors, measured.number())
    source, _, kind = name.partition("_")
    if source not in measured.pictures:
        return None
    values, number = measured.pictures[source], measured.number()
    match kind:
        case "max":
            return copying.prompt_maximum(values, number)
        case "min":
            return -copying.prompt_maximum(-values, number)
        case "top3":
            return copying.prompt_top(values, number)
    return None
