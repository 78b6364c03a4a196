"""What a member is shown: DCR's duplication studies, the corpus' own counts, captions."""

import json
from dataclasses import replace

import numpy as np
import pytest

from memviz.data import corpus as corpora
from memviz.errors import InputError
from memviz.training.config import PRESETS, Config
from memviz.training.data.dataset import captions
from memviz.training.data.entries import count_entries, keep_repeated, suit
from tests.support import samples

PICTURES = 40
DEMO = PRESETS["demo"].config()


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
    found = count_entries(study(duplication=kind), corpus)
    assert sorted(found) == [1] * 30 + [7] * 10
    assert (found == count_entries(study(duplication=kind), corpus)).all()
    assert (found != count_entries(study(duplication=kind, seed=1), corpus)).any()


def test_without_duplication_every_picture_counts_once(corpus):
    assert (count_entries(study(), corpus) == 1).all()


def test_repeats_multiply_what_the_corpus_says_itself():
    demo = corpora.load("demo-10k")
    own = count_entries(Config(weights="copies"), demo)
    more = count_entries(Config(weights="copies", duplication="both", dup_weight=2), demo)
    assert set((more / own).tolist()) == {1.0, 2.0} and (own > 100).sum() == 32


def test_a_column_that_holds_no_counts_is_a_sentence():
    with pytest.raises(ValueError, match="does not hold whole numbers from 1"):
        count_entries(Config(weights="style"), corpora.load("demo-10k"))


def test_repeats_keep_their_caption_or_take_any_of_theirs(corpus):
    """DCR: picture and caption are duplicated (both), or the picture alone (image)."""
    config = study(duplication="both")
    count = count_entries(config, corpus)
    assert captions(config, corpus, count) == [[text] for text in corpus.captions]
    found = captions(study(duplication="image"), corpus, count)
    assert [len(texts) for texts in found] == [3 if n > 1 else 1 for n in count]
    assert all(texts[0] == own for texts, own in zip(found, corpus.captions, strict=True))


def test_all_captions_of_every_picture_can_be_used(corpus):
    config = study(captions="allcaps")
    assert {len(t) for t in captions(config, corpus, count_entries(config, corpus))} == {3}


def test_a_few_repeated_pictures_share_the_entries_of_all():
    times = np.array([1, 30, 1, 50, 20, 1])
    found = keep_repeated(times, 2)
    assert (found[times == 1] == 1).all() and sorted(found[times > 1]) == [0, 50, 50]
    assert (keep_repeated(times, 0) == times).all() and times.sum() == 103
    with pytest.raises(InputError, match="--repeated is 4, but only 3 pictures repeat"):
        keep_repeated(times, 4)


def test_a_preset_suits_the_corpus_and_leaves_what_was_asked_for(corpus):
    with pytest.raises(InputError, match="Leave --weights empty to count every picture once"):
        count_entries(DEMO, corpus)
    found = suit(DEMO, corpus)
    assert (found.weights, found.repeated, found.hold_out) == ("", 0, PICTURES // 10)
    assert count_entries(found, corpus).sum() == PICTURES - 4
    assert suit(DEMO, corpus, asked=["weights"]).weights == "copies"
    assert suit(DEMO, corpora.load("demo-10k")) == DEMO
    assert suit(replace(DEMO, probes="demo"), corpus).probes == ""
    mine = replace(DEMO, probes="mine.json", weights="", repeated=0, hold_out=3)
    assert suit(mine, corpus) == mine
