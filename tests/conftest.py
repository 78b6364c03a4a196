"""One thread, no network, a home of its own: set before anything heavy is imported."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no worker is left alone with one at the end."""
    long = {
        i.path for i in items if i.get_closest_marker("slow") or i.get_closest_marker("browser")
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """$MEMVIZ_HOME is never the user's own."""
    folder = tmp_path_factory.mktemp("home")
    os.environ["MEMVIZ_HOME"] = str(folder)
    return folder


@pytest.fixture
def jobs_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory of the test's own; no process that a job began outlives it."""
    from tests.support import processes

    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    yield tmp_path
    processes.end_all()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random pipeline with an AutoencoderKL that predicts epsilon."""
    from tests.support import tiny

    return tiny.build(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny_zero_snr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random pipeline built as the demo model is."""
    from tests.support import tiny

    return tiny.build_zero_snr(tmp_path_factory.mktemp("tiny") / "zero-snr")


@pytest.fixture(scope="session")
def tiny_descriptor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved descriptor of the demo's kind, untrained."""
    from tests.support import samples

    return samples.save_descriptor(tmp_path_factory.mktemp("descriptor"))
