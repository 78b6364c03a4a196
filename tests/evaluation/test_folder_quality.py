"""What a search says of a folder beside its copies."""

import json
from pathlib import Path

import numpy as np
import pytest

from memviz.cli import main
from memviz.data import corpus as corpora
from memviz.errors import InputError
from memviz.evaluation.folder_quality import check_clip, measure_alignment, measure_fid
from memviz.evaluation.judges import Judge
from memviz.evaluation.metrics.frechet import frechet_distance, moments
from memviz.resources import load_clip
from tests.support.samples import smooth


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Six pictures of two prompts; one picture has none."""
    folder = tmp_path / "made"
    folder.mkdir()
    for i in range(6):
        smooth(i).save(folder / f"{i}.png")
        if i < 5:
            (folder / f"{i}.txt").write_text("a red fox" if i < 3 else "a blue fox")
    return folder


def test_alignment_is_the_mean_over_the_pictures_that_have_a_prompt(made, jobs_home):
    clip, pictures = load_clip(), corpora.load(made)
    found = measure_alignment(pictures, clip)
    ids = [id for id in pictures.ids if pictures.caption(id)]
    scores = clip.score([pictures.image(id) for id in ids], [pictures.caption(id) for id in ids])
    assert found["pictures"] == 5 and found["mean"] == pytest.approx(scores.mean(), abs=1e-5)
    assert found["low"] is None  # of two prompts no interval is known


def test_fid_is_that_of_the_features(made, jobs_home, tmp_path):
    def embed(images):
        return np.stack([np.asarray(image, np.float64).mean((0, 1))[:2] for image in images])

    pictures, other = corpora.load(made), tmp_path / "other"
    other.mkdir()
    for i in range(9):
        smooth(100 + i).save(other / f"{i}.png")
    corpus = corpora.load(other)
    found = measure_fid(pictures, corpus, Judge("mean", embed))
    rows = [embed([each.image(id) for id in each.ids]) for each in (pictures, corpus)]
    assert found["value"] == pytest.approx(frechet_distance(*(moments([r]) for r in rows)))
    assert (found["pictures"], found["corpus"], found["few"]) == (6, 9, True)


def test_the_demos_clip_is_refused_for_other_pictures(made):
    with pytest.raises(InputError, match="knows the demo's scenes, not made"):
        check_clip("demo", corpora.load(made))


def test_the_clip_score_stands_in_summary_and_report(made, jobs_home, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--corpus", "demo-10k", "--clip", "demo", "--out", str(out)]
    assert main(["search", str(made), *words]) == 0
    told = json.loads((out / "summary.json").read_text())
    shown = f"{told['clip']['mean']:.3f}"
    assert "CLIP score" in capsys.readouterr().out
    assert shown in (out / "report.html").read_text()
