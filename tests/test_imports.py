"""What must start at once loads nothing heavy (the layers are held by `lint-imports`)."""

import subprocess
import sys

import pytest

LIGHT = (
    "memviz.runs.store, memviz.jobs, memviz.guidance.registry, memviz.comparison.request, "
    "memviz.retrieval.verdict, memviz.cli"
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """All modules in a fresh interpreter that imported the light ones."""
    verbs = "[verb.load() for verb in memviz.cli.VERBS.values()]"
    code = f"import sys, {LIGHT}; {verbs}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("heavy", ["torch", "diffusers", "transformers", "gradio", "plotly"])
def test_light_modules_load_nothing_heavy(loaded, heavy):
    assert heavy not in loaded
