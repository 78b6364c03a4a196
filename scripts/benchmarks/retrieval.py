"""Retrieval: `python scripts/benchmark.py retrieval --json`.

`recall_at_1`, `recall_at_10`, `time_vs_exact`: an inverted file with exact re-ranking against exact
search among a million clustered vectors, for queries that are near-copies of rows; of the two
ratios of time, one query at a time and all at once, the worse.
`query_vs_full_matrix`: seconds of a check in DCR's way (both whole matrices of products, sorted)
over seconds of a search, whose background was kept when the index was built: 1,000 queries against
10,000 vectors, same matches, same background. `query_vs_sort` leaves the background out of both.
`peak_mib_1x`, `peak_mib_4x`: peak memory of a process that indexes a folder of pictures, and one of
four times as many. Times are medians over rounds in which both sides take turns.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measure import machine, timed
from memviz import resources
from memviz.retrieval.index import engines
from memviz.retrieval.index.background import background

DIMS = 512
CLUSTERS = 2_000
SPREAD = 0.9  # of a cluster: length of the noise beside a centre of length one
NEAR = (0.2, 0.7)  # of a near-copy: length of the noise beside the row
ONE_BY_ONE = 20  # queries timed alone
SMALL, ASKED = 10_000, 1_000  # as DCR's set, and what is looked up in it
INDEX = """
import sys
sys.path.insert(0, "scripts")
from benchmarks.measure import peak_mib
from memviz.cli import main
code = main(sys.argv[1:])
print(peak_mib(), file=sys.stderr)
sys.exit(code)
"""


def options(parser: argparse.ArgumentParser) -> None:
    """How much to measure."""
    option = parser.add_argument
    option("--rows", type=int, default=1_000_000, help="vectors in the large set (%(default)s)")
    option("--queries", type=int, default=200, help="near-copies looked up (%(default)s)")
    option("--repeats", type=int, default=5, help="at least (%(default)s)")
    option("--pictures", type=int, default=500, help="in the smaller folder (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return {
            **large(args, place),
            **small(args.repeats),
            "demo": demo(args.repeats),
            **memory(args.pictures, place),
            "goals": {"recall_at_1": 0.99, "time_vs_exact": 0.1, "query_vs_full_matrix": 20},
            "asked": {"rows": args.rows, "dims": DIMS, "queries": args.queries}
            | {"clusters": CLUSTERS, "repeats": args.repeats, "pictures": args.pictures},
            "environment": machine(),
        }


def large(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The inverted file against looking at every row."""
    stored = clustered(args.rows, folder / "vectors.npy")
    queries = near_copies(stored, args.queries)
    how = f"IVF{engines.lists(args.rows)},SQ8"
    build_seconds, lists = timed(lambda: engines.train(stored, how))
    file = folder / "lists.faiss"
    engines.faiss.write_index(lists, str(file))
    near = engines.Approximate.load(file, stored, engines.probes(args.rows))
    exact_build, exact = timed(lambda: engines.Exact(stored))
    wanted, found = exact.search(queries, 10)[1], near.search(queries, 10)[1]
    together = turns(lambda e: e.search(queries, 10), near, exact, args.repeats)
    alone = turns(lambda e: one_by_one(e, queries), near, exact, args.repeats)
    ratios = {"together": ratio(together), "one_by_one": ratio(alone)}
    return {
        "recall_at_1": float((found[:, 0] == wanted[:, 0]).mean()),
        "recall_at_10": float(np.mean([shared(*p) for p in zip(found, wanted, strict=True)])),
        "time_vs_exact": max(ratios.values()),
        "ratios": ratios,
        "milliseconds_per_query": {
            "together": per_query(together, len(queries)),
            "one_by_one": per_query(alone, ONE_BY_ONE),
        },
        "recipe": {"lists": how, "probes": engines.probes(args.rows)},
        "build_seconds": {"lists": build_seconds, "exact": exact_build},
        "bytes_per_vector": {
            "lists": file.stat().st_size / args.rows,
            "stored": 2 * DIMS,
            "exact": 4 * DIMS,
        },
    }


def clustered(count: int, file: Path, seed: int = 0) -> np.ndarray:
    """Unit rows around CLUSTERS centres, half precision, on disk."""
    rng = np.random.default_rng(seed)
    centers = engines.unit(rng.normal(size=(CLUSTERS, DIMS)))
    shape = {"dtype": np.float16, "shape": (count, DIMS)}
    rows = np.lib.format.open_memmap(file, mode="w+", **shape)
    for start in range(0, count, engines.BLOCK):
        size = min(engines.BLOCK, count - start)
        noise = rng.standard_normal((size, DIMS), np.float32) * (SPREAD / DIMS**0.5)
        rows[start : start + size] = engines.unit(centers[rng.integers(0, CLUSTERS, size)] + noise)
    rows.flush()
    return np.load(file, mmap_mode="r")


def near_copies(stored: np.ndarray, count: int, seed: int = 1) -> np.ndarray:
    """Rows with noise of varying strength: what a crop or a JPEG does to a descriptor."""
    rng = np.random.default_rng(seed)
    rows = engines.unit(stored[np.sort(rng.choice(len(stored), count, replace=False))])
    strength = rng.uniform(*NEAR, size=(count, 1)) / DIMS**0.5
    return engines.unit(rows + strength * rng.standard_normal(rows.shape)).astype(np.float32)


def turns(
    work: Callable[[engines.Engine], Any], near: engines.Engine, exact: engines.Engine, rounds: int
) -> dict[str, float]:
    """Median seconds of both, after one round that is not counted."""
    times = [
        (timed(lambda: work(near))[0], timed(lambda: work(exact))[0]) for _ in range(rounds + 1)
    ]
    ours, theirs = zip(*times[1:], strict=True)
    return {"lists": median(ours), "exact": median(theirs)}


def one_by_one(engine: engines.Engine, queries: np.ndarray) -> None:
    """As a person looks pictures up."""
    for query in queries[:ONE_BY_ONE]:
        engine.search(query[None], 10)


def ratio(seconds: dict[str, float]) -> float:
    """Ours over theirs."""
    return seconds["lists"] / seconds["exact"]


def per_query(seconds: dict[str, float], queries: int) -> dict[str, float]:
    """Milliseconds."""
    return {name: 1000 * value / queries for name, value in seconds.items()}


def shared(found: np.ndarray, wanted: np.ndarray) -> float:
    """Share of the wanted rows that were found."""
    return len(np.intersect1d(found, wanted)) / len(wanted)


def small(repeats: int) -> dict[str, Any]:
    """A search among 10,000 against DCR's whole matrix."""
    with tempfile.TemporaryDirectory() as folder:
        rows = engines.unit(clustered(SMALL, Path(folder) / "rows.npy", seed=2))
    queries = near_copies(rows, ASKED, seed=3)
    exact, kept, rounds = engines.Exact(rows), background(rows), []
    found = wanted = null = np.empty(0)
    for _ in range(repeats + 1):
        search, (_, found) = timed(lambda: exact.search(queries, 1))
        sort, wanted = timed(lambda: nearest_by_sort(rows, queries))
        null_seconds, null = timed(lambda: background_by_matrix(rows))
        rounds.append((search, sort, null_seconds))
    assert np.array_equal(found[:, 0], wanted), "both ways must find the same pictures"
    assert np.allclose(kept, null, atol=1e-4), "both ways must find the same background"
    search, sort, null = (median(side) for side in zip(*rounds[1:], strict=True))
    return {
        "query_vs_full_matrix": (sort + null) / search,
        "query_vs_sort": sort / search,
        "small_seconds": {"search": search, "sort": sort, "background": null},
    }


def nearest_by_sort(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """All products, each query's column sorted, the first taken."""
    import torch

    similarity = torch.from_numpy(rows) @ torch.from_numpy(queries).T
    similarity.T.topk(1, dim=1)
    return (-similarity).argsort(0)[0].numpy()


def background_by_matrix(rows: np.ndarray) -> np.ndarray:
    """All products of the rows with each other, the second largest of each taken."""
    import torch

    vectors = torch.from_numpy(rows)
    return (vectors @ vectors.T).topk(2, dim=1).values[:, 1].numpy()


def demo(repeats: int) -> dict[str, float]:
    """Milliseconds on the bundled corpus: a picture embedded and looked up, and looked up only."""
    detector = resources.load_detector("demo-10k", "demo")
    image = detector.corpus.image(detector.corpus.ids[0])

    def look() -> Any:  # noqa: ANN401
        return detector.index.search(detector.descriptor.embed([image]), 10)

    vector = detector.descriptor.embed([image])
    both = [timed(look)[0] for _ in range(repeats + 1)]
    alone = [timed(lambda: detector.index.search(vector, 10))[0] for _ in range(repeats + 1)]
    return {"picture_ms": 1000 * median(both[1:]), "search_ms": 1000 * median(alone[1:])}


def memory(count: int, folder: Path) -> dict[str, float]:
    """Peak memory of indexing two folders, each in a process of its own."""
    found = {}
    for times in (1, 4):
        place = folder / f"pictures-{times}"
        write_pictures(place, count * times)
        found[f"peak_mib_{times}x"] = peak_of_index(place, folder / f"index-{times}")
    return found


def write_pictures(place: Path, count: int) -> None:
    """Pictures of 256 x 256 with large shapes."""
    from PIL import Image

    place.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        small.resize((256, 256), Image.Resampling.BICUBIC).save(place / f"{i:06}.jpg")


def peak_of_index(place: Path, out: Path) -> float:
    """MiB of the child that indexes a folder."""
    words = [sys.executable, "-c", INDEX, "index", str(place), "--out", str(out)]
    root = Path(__file__).parents[2]
    done = subprocess.run(words, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f"indexing {place} ended with {done.returncode}: {done.stderr[-500:]!r}")
    return float(done.stderr.split()[-1])


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    return "\n".join(_lines(result))


def _lines(result: dict[str, Any]) -> Iterator[str]:
    rows = result["asked"]["rows"]
    yield f"{rows:,} rows: recall@1 {result['recall_at_1']:.3f}, @10 {result['recall_at_10']:.3f}, "
    yield f"{result['time_vs_exact']:.3f} of the time of exact search (goal 0.1)"
    yield f"{result['query_vs_full_matrix']:.1f} times as fast as the full matrix (goal 20)"
    yield f"peak {result['peak_mib_1x']:.0f} MiB, {result['peak_mib_4x']:.0f} MiB with 4 x pictures"
    yield str({k: result[k] for k in ("milliseconds_per_query", "build_seconds", "demo")})
