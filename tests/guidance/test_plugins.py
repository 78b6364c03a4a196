"""A method from a file or a package of one's own is there in every process that is told of it."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memviz import jobs
from memviz.errors import InputError
from memviz.guidance import plugins
from memviz.guidance.registry import METHODS, register
from tests.support import world

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/add-a-method.md").read_text(), re.S)
CODE = next(block for block in BLOCKS if "@register" in block)


def run(tmp_path, *words, paths=(), **env):
    """A verb in a process of its own, with a home of its own."""
    env = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *map(str, paths)]),
        "MEMVIZ_HOME": str(tmp_path / "home"),
        **env,
    }
    command = [sys.executable, "-m", "memviz", *words]
    return subprocess.run(
        command, cwd=tmp_path, env=os.environ | env, capture_output=True, text=True
    )


def compare(small, *methods):
    where = ["--model", str(small.model), "--corpus", str(small.corpus)]
    return ["compare", "--json", "--prompt", "a fox", "--methods", ",".join(methods),
            "--steps", "2", *where, "--descriptor", str(small.descriptor)]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    (tmp_path / "ramp.py").write_text(CODE)
    return tmp_path / "ramp.py"


@pytest.fixture
def registry():
    """Whatever a test registers is gone afterwards."""
    before = set(METHODS)
    yield METHODS
    for key in set(METHODS) - before:
        METHODS.remove(key)


def test_a_method_of_a_file_is_compared(tmp_path, file):
    words = compare(world.build(tmp_path / "world"), "cfg", "ramp:late=5")
    done = run(tmp_path, "--plugin", "ramp.py", *words)
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert [cell["spec"] for cell in cells] == ["cfg:scale=7.5,shape=static", "ramp:late=5"]


def test_a_method_of_an_installed_package_is_compared_and_a_broken_one_is_a_warning(tmp_path):
    site, info = tmp_path / "site", tmp_path / "site" / "ramps-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "ramps.py").write_text(CODE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ramps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[memviz.guidance]\nramp = ramps\ngone = nowhere\n")
    words = compare(world.build(tmp_path / "world"), "ramp")
    done = run(tmp_path, *words, paths=[site])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cells"][0]["spec"] == "ramp:late=7.5"
    warnings = [line for line in done.stderr.splitlines() if "plug-in" in line]
    assert warnings == [
        "The plug-in gone (nowhere) was left out: ModuleNotFoundError: No module named 'nowhere'"
    ]


def test_a_plug_in_that_was_asked_for_and_fails_is_one_sentence(tmp_path):
    (tmp_path / "bad.py").write_text("1 / 0")
    for name, sentence in (("bad.py", "ZeroDivisionError"), ("none.py", "There is no plug-in")):
        done = run(tmp_path, "--plugin", name, "models")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert sentence in done.stderr


def test_processes_that_are_started_from_here_know_it_too(file, monkeypatch, registry):
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    monkeypatch.setenv(plugins.VARIABLE, "")
    plugins.use_file(str(file))
    plugins.use_file(str(file))
    assert jobs.environment()[plugins.VARIABLE] == str(file)
    assert METHODS["ramp"].label == "Ramp"


def test_files_at_home_and_in_the_environment_are_found_once(file, monkeypatch, registry, caplog):
    home = file.parent / "home"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "slope.py").write_text(CODE.replace("ramp", "slope"))
    (home / "plugins" / "wrong.py").write_text("import nowhere")
    monkeypatch.setenv("MEMVIZ_HOME", str(home))
    monkeypatch.setenv(plugins.VARIABLE, str(file))
    monkeypatch.setattr(plugins, "_begun", set())
    with caplog.at_level(logging.WARNING):
        assert {"ramp", "slope", "cfg"} <= set(METHODS) and "slope" in METHODS
    assert [record.message for record in caplog.records] == [
        f"The plug-in {home}/plugins/wrong.py was left out: "
        "ModuleNotFoundError: No module named 'nowhere'"
    ]


def test_what_cannot_be_a_method_is_refused(registry):
    class Loose:
        def scale(self, seen):
            return 1.0

        def transition(self, seen):
            return None

    with pytest.raises(InputError, match="frozen=True"):
        register("loose")(Loose)
    with pytest.raises(InputError, match="method of memviz"):
        register("cfg")(type(METHODS["stp"].guidance))
    with pytest.raises(InputError, match="no key of a method"):
        register("a:b")(type(METHODS["stp"].guidance))
