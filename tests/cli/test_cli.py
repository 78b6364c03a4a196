"""`python -m memviz` as a person or a script calls it; a real process where that matters."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from memviz.cli import VERBS, compare, main, parser, runs
from memviz.guidance.spec import MethodSpec, split_methods
from memviz.runs import store
from memviz.runs.record import RequestRecord
from memviz.ui.transition.view import command
from tests.support import fixture_run, world
from tests.support.command_line import call
from tests.support.records import run_record

ROOT = Path(__file__).parents[2]


def run(*words: object, home: Path | None = None) -> subprocess.CompletedProcess:
    env = os.environ | ({"MEMVIZ_HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "memviz", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_help_lists_every_verb_on_one_line():
    told = run("--help")
    lines = [line.strip() for line in told.stdout.splitlines()]
    assert told.returncode == 0
    for name, verb in VERBS.items():
        assert any(line.startswith(name) and line.endswith(verb.about) for line in lines), name


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help(name):
    told = call(name, "--help")
    assert told.returncode == 0 and VERBS[name].about in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("cfg", ["cfg"]),
        ("cfg,stp,dtp,og", ["cfg", "stp", "dtp", "og"]),
        (
            "cfg:scale=7.5,stp:early=0,late=7.5,at=500",
            ["cfg:scale=7.5", "stp:early=0,late=7.5,at=500"],
        ),
        (" stp:at=400 , at=500 , dtp ", ["stp:at=400,at=500", "dtp"]),
        ("dtp:released,og:transition=dynamic", ["dtp:released", "og:transition=dynamic"]),
        ("stp:at=400,stp:at=600", ["stp:at=400", "stp:at=600"]),
        ("dtp:released,early=0,cfg", ["dtp:released,early=0", "cfg"]),
        ("cfg,magic", ["cfg", "magic"]),
        ("cfg:scale=3,magic:x=1", ["cfg:scale=3", "magic:x=1"]),
        ("", []),
    ],
)
def test_methods_are_split_where_one_begins(text, methods):
    assert split_methods(text) == methods


@pytest.mark.parametrize("prompt", ["a fox", "-- a 'fox' \"$(date)\" `date`", "-x", "Füchse, 狐"])
def test_the_command_that_the_app_shows_for_a_run_asks_for_that_run(prompt):
    more = {"prompts": (prompt, "two"), "probe": True, "decoder": "own"}
    more |= {"spacing": "linspace", "size": 128, "dtype": "bfloat16"}
    request = store.bundled()[0].record.request.model_copy(update=more)
    python, *words = shlex.split(command(run_record(request=request)))
    assert python == "python" and words[:3] == ["-m", "memviz", "compare"]
    made = compare.asked(parser().parse_args(words[2:]))
    methods = tuple(str(MethodSpec.parse(text)) for text in request.methods)  # older: with more
    wanted = request.model_copy(update={"methods": methods})
    assert RequestRecord.model_validate(made.to_json({})) == wanted


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "VERB"),
        (("fly",), "fly"),
        (("compare",), "--prompt"),
        (("compare", "--prompt", " "), "The prompt is empty"),
        (("compare", "--prompt", "x" * 20_000), "20,000 characters"),
        (("compare", "--prompt", "x", "--methods", "magic"), "No method is named 'magic'"),
        (("compare", "--prompt", "x", "--methods", "cfg:scale=nan"), "scale is 'nan'"),
        (("compare", "--prompt", "x", "--methods", ""), "no methods"),
        (("compare", "--prompt", "x", "--seeds", "1,b"), "--seeds has 'b' in it"),
        (("compare", "--prompt", "x", "--seeds=-1"), "The seed is -1"),
        (("compare", "--prompt", "x", "--steps", "0"), "steps is 0"),
        (("compare", "--prompt", "x", "--steps", "many"), "'many'"),
        (("compare", "--prompt", "x", "--scheduler", "heun"), "ddim, dpm, pndm, euler"),
        (("compare", "--prompt", "x", "--size", "50"), "The size is 50. Give a multiple of 8"),
        (("compare", "--prompt", "x", "--spacing", "wide"), "'leading', 'linspace', 'trailing'"),
        (("detect", "x", "--dtype", "int8"), "'float32', 'float16', 'bfloat16'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, sentence):
    told = call(*words)
    assert told.returncode == 2 and told.stdout == ""
    assert sentence in told.stderr and len(told.stderr.splitlines()) == 1


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path):
    folder = fixture_run.make(tmp_path, steps=2)
    told = call("compare", "--prompt", "x", "--out", folder)
    assert told.returncode == 2 and "holds a run already" in told.stderr


def test_runs_are_listed(tmp_path):
    assert json.loads(call("runs", "--json", home=tmp_path / "empty").stdout) is not None
    folder = fixture_run.make(tmp_path / "runs", steps=2)
    told = json.loads(call("runs", "--json", home=tmp_path).stdout)
    assert told[0]["id"] == folder.name and told[0]["where"] == "kept" and told[0]["cells"] == 8
    assert told[0]["bytes"] > 10_000 and folder.name in call("runs", home=tmp_path).stdout


def test_runs_are_removed_all_or_none(tmp_path):
    folder = fixture_run.make(tmp_path / "runs", steps=2)
    told = call("runs", "--remove", folder.name, "20260101-000000-0123456789abcdef", home=tmp_path)
    assert told.returncode == 2 and "No run" in told.stderr and folder.is_dir()
    told = json.loads(call("runs", "--remove", folder.name, "--json", home=tmp_path).stdout)
    assert [run["where"] for run in told] == ["removed"] and not folder.exists()


def test_models_are_listed(tmp_path):
    told = json.loads(call("models", "--json", home=tmp_path).stdout)
    assert {"demo", "demo-pretrained", "sd-1.4", "sd-2.1"} <= {m["name"] for m in told}
    assert all(set(m) == {"name", "path", "parameters", "hash"} for m in told)
    assert "sd-1.4" in call("models", home=tmp_path).stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def small(place):
    return world.build(place / "world")


@pytest.fixture(scope="module")
def told(place, small):
    """One comparison with everything asked for."""
    return run(
        *("compare", "--prompt", "a fox", "--prompt", "two cats"),
        *("--methods", "cfg:scale=3,stp:early=0,late=7.5,at=500,dtp"),
        *("--seeds", "0,7", "--steps", 4, "--scheduler", "dpm", "--model", small.model),
        *("--corpus", small.corpus, "--descriptor", small.descriptor),
        *("--out", place / "run", "--json"),
        home=place / "home",
    )


def test_compare_prints_exactly_one_json_object(told, place):
    assert told.returncode == 0, told.stderr
    result = json.loads(told.stdout)
    saved = json.loads((place / "run" / "run.json").read_text())
    assert result["run"] == saved["id"]
    assert result["steps"] == 4 and result["scheduler"] == "dpm"
    assert result["model"] == saved["model"]
    assert set(result["noise_hash"]) == {"0", "7"}
    assert result["unet_evaluations"] == saved["unet_evaluations"] > 0
    assert result["seconds"] == saved["seconds"] > 0


def test_compare_prints_every_cell(told):
    cells = json.loads(told.stdout)["cells"]
    assert len(cells) == 2 * 3 * 2
    assert [c["method"] for c in cells[:3]] == ["cfg", "stp", "dtp"]
    for cell in cells:
        assert set(cell["match"]) == {"id", "caption"} and isinstance(cell["similarity"], float)
        assert cell["verdict"] and set(cell["prompt_signal"]) >= {"word", "reason", "value"}
        assert {"alignment", "transition_step", "transition_timestep"} <= set(cell)
        assert Image.open(cell["image"]).size == (32, 32)


def test_progress_goes_to_stderr(told):
    assert "4/4" in told.stderr and "Traceback" not in told.stderr


def test_without_json_it_is_a_table(place, small):
    shown = call(
        *("compare", "--prompt", "a fox", "--methods", "cfg", "--steps", 2),
        *("--model", small.model, "--corpus", small.corpus, "--descriptor", small.descriptor),
        home=place / "home",
    )
    assert shown.returncode == 0, shown.stderr
    assert "similarity" in shown.stdout and "UNet evaluations" in shown.stdout
    assert str(place / "home" / "runs") in shown.stdout


def test_a_model_that_is_not_there_is_one_sentence(place):
    wrong = call("compare", "--prompt", "x", "--model", place / "nowhere", home=place / "home")
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert "nowhere" in wrong.stderr and "Traceback" not in wrong.stderr


def test_a_defect_of_ours_is_named_as_one_and_keeps_its_traceback(home, monkeypatch, capsys):
    def broken(_):
        return list(zip([1], [], strict=True))

    monkeypatch.setattr(runs, "VERB", replace(runs.VERB, run=broken))
    assert main(["runs"]) == 70
    told = capsys.readouterr().err
    assert (
        told.startswith("This is a defect of memviz (ValueError: zip()") and "\n" not in told[:-1]
    )
    assert "Traceback" in (home / "errors.log").read_text()
    for words in (["runs", "--debug"], ["--debug", "runs"]):
        assert main(words) == 70
        assert "Traceback" in capsys.readouterr().err


def test_no_verb_is_loaded_but_the_one_asked_for():
    code = "import sys; from memviz.cli import parser; parser().parse_args(['runs'])"
    command = [sys.executable, "-c", f"{code}; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {e.module for e in VERBS.values() if f"memviz.cli.{e.module}" in loaded} == {"runs"}


def test_a_run_is_bundled_and_opened_elsewhere(tmp_path):
    folder = fixture_run.make(tmp_path / "one" / "runs", steps=2)
    file = tmp_path / "run.zip"
    told = json.loads(
        call("bundle", folder.name, "--out", file, "--json", home=tmp_path / "one").stdout
    )
    assert told["bytes"] == file.stat().st_size
    said = call("open", file, home=tmp_path / "two")
    assert said.returncode == 0 and "every hash as written" in said.stdout
    assert (tmp_path / "two" / "runs" / folder.name / "run.json").is_file()
