"""The wheel works where no checkout is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
WORDS = "compare --prompt fox --methods cfg --steps 2 --seeds 0 --json"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def memviz(tmp_path_factory):
    """The installed command, run in an empty folder; what it needs is that of this environment."""
    place = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*PIP, "wheel", *offline, "--wheel-dir", place, ROOT], check=True)
    (wheel,) = place.glob("memviz-*.whl")
    subprocess.run([*PIP, "install", *offline, "--target", place / "site", wheel], check=True)
    (place / "empty").mkdir()
    env = os.environ | {"PYTHONPATH": str(place / "site"), "MEMVIZ_HOME": str(place / "home")}

    def call(*words: str) -> subprocess.CompletedProcess:
        command = [sys.executable, place / "site/bin/memviz", *words]
        return subprocess.run(command, cwd=place / "empty", env=env, capture_output=True, text=True)

    return call


def test_the_demo_is_in_the_wheel_once(memviz):
    told = memviz("models", "--json")
    assert told.returncode == 0, told.stderr
    demo = next(m for m in json.loads(told.stdout) if m["name"] == "demo")
    assert demo["hash"] and "site/memviz/assets/demo/model" in demo["path"]


def test_a_comparison_runs(memviz):
    told = memviz(*WORDS.split())
    assert told.returncode == 0, told.stderr
    (cell,) = json.loads(told.stdout)["cells"]
    assert cell["verdict"] and Path(cell["image"]).is_file()


def test_what_only_a_checkout_has_is_one_sentence(memviz):
    told = memviz("remedies", "--save")
    assert told.returncode == 2 and "Run this in a checkout." in told.stderr
