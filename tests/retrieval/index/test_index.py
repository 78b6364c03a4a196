"""Index and background against numpy and scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from memviz.data import corpus
from memviz.retrieval.descriptors.descriptor import Descriptor, descriptor
from memviz.retrieval.index import engines
from memviz.retrieval.index.background import background, calibrated, threshold
from memviz.retrieval.index.index import Index, IndexMismatch, Manifest
from tests.support.samples import preset, smooth, unit


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    """Twelve pictures in a folder."""
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(12):
        smooth(i).save(folder / f"{i:03}.png")
    return corpus.load(folder)


# index


def test_search_equals_a_sort_of_all_products_and_sklearn() -> None:
    vectors, queries = unit(200), unit(7, seed=1)
    ids = np.random.default_rng(0).permutation(1000)[:200]
    found, which = make(vectors, ids).search(queries, 5)
    products = queries @ vectors.T
    order = np.argsort(-products, axis=1)[:, :5]
    assert np.allclose(found, np.take_along_axis(products, order, 1), atol=1e-6)
    assert np.array_equal(which, ids[order])
    near = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(vectors)
    assert np.array_equal(which, ids[near.kneighbors(queries, return_distance=False)])


def make(vectors: np.ndarray, ids: np.ndarray) -> Index:
    return Index(Manifest("demo", vectors.shape[1], "d", "c", "h", len(ids)), vectors, ids)


def test_more_neighbors_than_pictures_gives_all(
    pictures: corpus.Corpus, tiny_descriptor: Path
) -> None:
    found, ids = Index.build(pictures, descriptor(tiny_descriptor)).search(unit(2), 50)
    assert found.shape == ids.shape == (2, 12)
    assert set(ids[0]) == {*range(12)}


def test_a_broken_row_matches_nothing_and_spoils_no_other() -> None:
    vectors = unit(10)
    queries = vectors[:3].copy()
    queries[1, 4] = np.nan
    found, ids = make(vectors, np.arange(10)).search(queries, 2)
    assert np.isnan(found[1]).all()
    assert (ids[1] == -1).all()
    assert ids[[0, 2], 0].tolist() == [0, 2]


def test_each_picture_finds_itself_at_one_even_from_half_precision(
    tmp_path: Path, pictures: corpus.Corpus, tiny_descriptor: Path
) -> None:
    loaded = descriptor(tiny_descriptor)
    Index.build(pictures, loaded, batch=5).save(tmp_path)
    index = Index.load(tmp_path, pictures, loaded)
    similarity, ids = index.search(loaded.embed([pictures.image(i) for i in range(12)]), 1)
    assert ids[:, 0].tolist() == [*range(12)]
    assert (similarity > 0.9995).all()
    assert (similarity < 1.0005).all()


def test_build_reports_progress_and_keeps_the_corpus_ids(tiny_descriptor: Path) -> None:
    class Odd:
        name, hash, ids = "odd", "h", [7, 3, 5]

        def __len__(self) -> int:
            return 3

        def batches(self, size: int) -> object:
            yield [7, 3], [smooth(7), smooth(3)]
            yield [5], [smooth(5)]

    told, loaded = [], descriptor(tiny_descriptor)
    index = Index.build(Odd(), loaded, batch=2, progress=lambda *now: told.append(now))
    assert told == [(2, 3), (3, 3)]
    assert index.search(loaded.embed([smooth(5)]), 1)[1].tolist() == [[5]]


def test_similarity_to_a_given_picture(tiny_descriptor: Path) -> None:
    vectors, queries = unit(9), unit(3, seed=4)
    index = make(vectors, np.arange(9) + 100)
    expected = [queries[0] @ vectors[4], queries[1] @ vectors[0], queries[2] @ vectors[8]]
    assert np.allclose(index.similarity(queries, np.array([104, 100, 108])), expected, atol=1e-6)


def test_saved_index_is_the_same_index(
    tmp_path: Path, pictures: corpus.Corpus, tiny_descriptor: Path
) -> None:
    index = Index.build(pictures, descriptor(tiny_descriptor))
    again = Index.load(index.save(tmp_path))
    assert again.manifest == index.manifest
    assert np.allclose(again.vectors, index.vectors, atol=1e-3)
    assert np.allclose(again.background, index.background, atol=1e-3)
    assert np.load(tmp_path / "vectors.npy").dtype == np.float16


def test_an_index_of_something_else_is_refused(
    tmp_path: Path, pictures: corpus.Corpus, tiny_descriptor: Path
) -> None:
    loaded = descriptor(tiny_descriptor)
    folder = Index.build(pictures, loaded).save(tmp_path / "index")
    (tmp_path / "other").mkdir()
    smooth(99).save(tmp_path / "other/one.png")
    with pytest.raises(IndexMismatch, match="another corpus"):
        Index.load(folder, corpus.load(tmp_path / "other"))
    renamed = Descriptor(preset(name="sscd_disc_mixup_320"), loaded.network, loaded.hash)
    with pytest.raises(IndexMismatch, match="another preset: has demo, wanted sscd_disc_mixup_320"):
        Index.load(folder, descriptor=renamed)
    retrained = Descriptor(loaded.preset, loaded.network, "0" * 64)
    with pytest.raises(IndexMismatch, match="another descriptor"):
        Index.load(folder, descriptor=retrained)


def test_what_is_no_index_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexMismatch, match=r"no manifest\.json"):
        Index.load(tmp_path)
    (tmp_path / "manifest.json").write_text('{"preset": "demo"}')
    with pytest.raises(IndexMismatch, match=r"manifest\.json cannot be used: dims"):
        Index.load(tmp_path)


# background


@pytest.mark.parametrize("block", [1, 7, 50, 64])
def test_background_is_the_nearest_other_whatever_the_block(block: int) -> None:
    vectors = unit(50)
    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    assert np.allclose(background(vectors, block), products.max(1), atol=1e-6)


def test_a_duplicate_has_a_background_of_one() -> None:
    vectors = unit(10)
    vectors[3] = vectors[8]
    found = background(vectors)
    assert np.allclose(found[[3, 8]], 1)
    assert (np.delete(found, [3, 8]) < 0.99).all()


def test_one_picture_has_no_background() -> None:
    assert np.isnan(background(unit(1))).all()
    with pytest.raises(ValueError, match="at least two pictures"):
        threshold(background(unit(1)))


def test_threshold_is_the_quantile() -> None:
    values = np.append(np.linspace(0, 1, 101), np.nan)
    assert threshold(values, 0.95) == pytest.approx(0.95)


def test_a_calibrated_threshold_has_an_interval_and_leaves_duplicates_out() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.beta(4, 6, 5000), np.full(300, 0.99), [np.nan]])
    found = calibrated(values, 0.95)
    distinct = values[values < 0.95]
    assert found.value == pytest.approx(np.quantile(distinct, 0.999))
    assert found.low < found.value < found.high
    assert (found.images, found.duplicates) == (5000, 300)
    assert "99.9% of 5,000 training images" in found.source


def test_the_interval_covers_the_true_quantile_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    intervals = [calibrated(0.9 * rng.random(400), 0.95, 0.9, 0.9) for _ in range(60)]
    covered = np.mean([i.low <= 0.81 <= i.high for i in intervals])
    assert covered >= 0.85


def test_few_pictures_bound_no_threshold_from_above() -> None:
    assert calibrated(np.linspace(0.1, 0.5, 20), 0.95).high == 1


# engines


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    """Three thousand rows in fifty clusters."""
    rng = np.random.default_rng(2)
    centers = rng.normal(size=(50, 32))
    rows = centers[rng.integers(0, 50, 3000)] + rng.normal(size=(3000, 32))
    return engines.unit(rows)


@pytest.fixture(scope="module", params=["IVF32,SQ8", "IVF32,PQ16x4"])
def lists(request, clustered: np.ndarray) -> engines.Approximate:
    made = engines.train(clustered.astype(np.float16), request.param)
    return engines.Approximate(made, clustered.astype(np.float16), probes=16)


def test_an_inverted_file_gives_exact_similarities_of_nearly_all_matches(lists, clustered) -> None:
    rng = np.random.default_rng(3)
    queries = engines.unit(clustered[:200] + 0.02 * rng.normal(size=(200, 32)))
    found, rows = lists.search(queries, 5)
    assert (rows[:, 0] == np.arange(200)).mean() > 0.98
    products = np.einsum("bd,bkd->bk", queries, clustered[rows])
    assert np.allclose(found, products, atol=2e-3)  # from half precision
    assert (np.diff(found, axis=1) <= 0).all()


def test_a_picture_finds_itself_at_one_in_lists_too(lists, clustered) -> None:
    found, rows = lists.search(clustered[:50], 1)
    assert rows[:, 0].tolist() == [*range(50)]
    assert np.allclose(found, 1, atol=1e-3)


def test_a_short_search_leaves_faiss_its_threads(clustered: np.ndarray) -> None:
    import faiss

    threads = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(2)
        found, rows = engines.Exact(clustered).search(clustered[:3], 1)
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(threads)
    assert rows[:, 0].tolist() == [0, 1, 2]
    assert np.allclose(found, 1, atol=1e-5)


def test_range_search_gives_all_above_the_threshold(lists, clustered) -> None:
    queries, least = clustered[:20], 0.8
    products = queries @ clustered.T
    exact = engines.Exact(clustered).range(queries, least)
    for query, (values, rows) in enumerate(exact):
        assert set(rows) == set(np.flatnonzero(products[query] >= least))
        assert (np.diff(values) <= 0).all()
    near = lists.range(queries, least)
    wanted = sum(len(rows) for _, rows in exact)
    assert sum(len(rows) for _, rows in near) >= 0.9 * wanted
    assert all((values >= least).all() for values, _ in near)


def test_an_index_tells_all_copies_by_their_ids() -> None:
    vectors = unit(20, 64)
    vectors[7] = vectors[3]
    broken = np.full((1, 64), np.nan, np.float32)
    found = make(vectors, np.arange(20) + 50).copies(np.concatenate([vectors[[3]], broken]), 0.9)
    assert [ids.tolist() for _, ids in found] == [[53, 57], []]


@pytest.mark.parametrize(
    ("count", "how"),
    [(10_000, "Flat"), (2_000_000, "IVF2048,SQ8"), (400_000_000, "OPQ64,IVF32768_HNSW32,PQ64")],
)
def test_the_recipe_follows_the_size(count: int, how: str) -> None:
    assert engines.recipe(count, 512) == how
