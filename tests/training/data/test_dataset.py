"""What a member is shown: DCR's duplication studies, the corpus' own counts, captions."""

import json

import pytest

from memviz.data import corpus as corpora
from memviz.training.config import Config
from memviz.training.data.dataset import captions, times
from tests.support import samples

PICTURES = 40


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """LAION-10k as DCR shares it: three captions a picture."""
    root = tmp_path_factory.mktemp("laion_10k")
    texts = {}
    for i in range(PICTURES):
        samples.smooth(i, (8, 8)).save(root / f"{i}.png")
        texts[f"/somewhere/{i}.png"] = [f"{i} first", f"{i} second", f"{i} third"]
    (root / "laion_combined_captions.json").write_text(json.dumps(texts))
    return corpora.load(root)


def study(**changes):
    return Config(**{"dup_share": 0.25, "dup_weight": 7, **changes})


@pytest.mark.parametrize("kind", ["image", "both"])
def test_a_seeded_share_of_the_pictures_is_repeated(corpus, kind):
    found = times(study(duplication=kind), corpus)
    assert sorted(found) == [1] * 30 + [7] * 10
    assert (found == times(study(duplication=kind), corpus)).all()
    assert (found != times(study(duplication=kind, seed=1), corpus)).any()


def test_without_duplication_every_picture_counts_once(corpus):
    assert (times(study(), corpus) == 1).all()


def test_repeats_multiply_what_the_corpus_says_itself():
    demo = corpora.load("demo-10k")
    own = times(Config(weights="copies"), demo)
    more = times(Config(weights="copies", duplication="both", dup_weight=2), demo)
    assert set((more / own).tolist()) == {1.0, 2.0} and (own > 100).sum() == 32


def test_a_column_that_holds_no_counts_is_a_sentence():
    with pytest.raises(ValueError, match="does not hold whole numbers from 1"):
        times(Config(weights="style"), corpora.load("demo-10k"))


def test_repeats_keep_their_caption_or_take_any_of_theirs(corpus):
    """DCR: picture and caption are duplicated (both), or the picture alone (image)."""
    config = study(duplication="both")
    count = times(config, corpus)
    assert captions(config, corpus, count) == [[text] for text in corpus.captions]
    found = captions(study(duplication="image"), corpus, count)
    assert [len(texts) for texts in found] == [3 if n > 1 else 1 for n in count]
    assert all(texts[0] == own for texts, own in zip(found, corpus.captions, strict=True))


def test_all_captions_of_every_picture_can_be_used(corpus):
    config = study(captions="allcaps")
    assert {len(t) for t in captions(config, corpus, times(config, corpus))} == {3}
