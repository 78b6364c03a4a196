"""README and docs say what is true: methods, verbs, models, front matter, and code that runs."""

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from memviz.cli import VERBS
from memviz.guidance import plugins
from memviz.guidance.base import Observation
from memviz.guidance.registry import CORE, METHODS
from memviz.guidance.spec import MethodSpec, make_specs
from memviz.models.loading import bundled, is_path
from memviz.retrieval.descriptors.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {page: page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]}
METHODS_PAGE, COMMANDS, SOURCES, ADD, FIGURES = (
    (ROOT / "docs" / f"{name}.md").read_text()
    for name in ("ideas", "command-line", "models-and-data", "add-a-method", "measured")
)
MEASURED = "report.json", "benchmark.json"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def front():
    text = re.match(r"---\n(.*?)\n---\n", README, re.S)
    assert text, "README.md does not begin with front matter"
    return yaml.safe_load(text[1])


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines)


PINS = pins("requirements.txt")


def test_front_matter_starts_a_gradio_space(front):
    assert front["title"] and front["sdk"] == "gradio"
    assert front["sdk_version"] == pins("requirements.txt")["gradio"]
    assert (ROOT / front["app_file"]).is_file()
    assert front["license"] == "apache-2.0" and (ROOT / "LICENSE").is_file()


def test_front_matter_is_what_spaces_accept(front):
    assert {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert isinstance(front["python_version"], str)
    assert tuple(map(int, front["python_version"].split("."))) >= (3, 11)
    assert 0 < len(front["short_description"]) <= 60


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line) for line in lines)


def test_what_is_pinned_is_what_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [Requirement(r) for r in project["dependencies"] + extras["app"]]
    assert {r.name for r in asked} == set(pins("requirements.txt"))
    assert all(pins("requirements.txt")[r.name] in r.specifier for r in asked)
    dev = [Requirement(r) for r in extras["train"] + extras["onnx"] + extras["dev"]]
    assert {r.name for r in dev} - {"memviz"} == set(pins("requirements-dev.txt"))


def test_a_space_can_install_the_pins_beside_gradio_with_its_extras():
    """A Space installs gradio[oauth,mcp] in one go with requirements.txt."""
    wanted = [Requirement(r) for r in metadata.requires("gradio") or ()]
    extras = [{"extra": name} for name in ("", "mcp", "oauth")]
    for each in wanted:
        if each.name in PINS and (not each.marker or any(map(each.marker.evaluate, extras))):
            assert PINS[each.name] in each.specifier, each


def test_the_changelog_says_why_each_dependency():
    text = (ROOT / "CHANGELOG.md").read_text()
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert f"**{line.partition('==')[0]}**" in text


@pytest.mark.parametrize("key", METHODS)
def test_every_method_is_explained(key):
    assert f"| `{key}` | {METHODS[key].label} |" in METHODS_PAGE


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_explained(verb):
    assert f"| `{verb}` | {VERBS[verb].about.split(',')[0]}" in COMMANDS


def test_no_verb_is_promised_that_does_not_exist():
    text = "\n".join([*PAGES.values(), (ROOT / "CHANGELOG.md").read_text()])
    assert set(re.findall(r"python -m memviz ([a-z][\w-]*)", text)) <= set(VERBS)


@pytest.mark.parametrize("name", bundled())
def test_every_model_and_its_mirrors_are_named(name):
    assert f"`{name}`" in SOURCES
    for place in bundled()[name].places:
        assert is_path(place) or f"`{place}`" in SOURCES


def test_descriptors_that_are_named_exist():
    assert set(re.findall(r"`(sscd_\w+)`", SOURCES)) <= set(PRESETS)
    assert PRESETS["sscd_disc_mixup"].url in SOURCES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_is_linked_exists(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGES[page])
    missing = [link for link in links if not (page.parent / link).is_file()]
    assert not missing


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 80


def test_no_shipped_model_names_a_folder_of_its_maker():
    files = [*(ROOT / "assets/demo").rglob("config.json")]
    assert len(files) > 4
    assert not [str(f) for f in files if "_name_or_path" in f.read_text()]


def test_every_figure_is_the_measured_one():
    from memviz.demo.model_card import FIGURE, refresh

    shipped = [json.loads((ROOT / "assets/demo" / n).read_text()) for n in MEASURED]
    figures = shipped[0] | shipped[1]
    assert set(FIGURE.findall(FIGURES)) <= set(figures)
    assert refresh(FIGURES, figures) == FIGURES


def test_the_method_of_the_page_works(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", ADD, re.S)
    (tmp_path / "ramp.py").write_text(next(block for block in blocks if "@register" in block))
    try:
        plugins.load_file(tmp_path / "ramp.py")
        spec = MethodSpec.parse("ramp:late=5")
        assert spec.guidance.scale([Observation(500, {"magnitude": 1.0})]) == 2.5
        assert MethodSpec.parse(str(spec)) == spec and spec.label == "Ramp"
    finally:
        METHODS.remove("ramp")


def test_the_methods_of_the_page_are_spelled_right():
    text = re.findall(r"--methods (cfg\S+)", COMMANDS)[0]
    assert [spec.key for spec in make_specs(text)] == [*CORE]


def test_the_table_of_remedies_is_the_measured_one():
    from memviz.evaluation.methods import refresh, results_file

    page = (ROOT / "docs" / "methods.md").read_text()
    assert all(f"`{key}`" in page for key in METHODS)
    assert refresh(page, json.loads(results_file().read_text())) == page


def test_the_container_serves_the_app_without_rights_and_without_a_gpu():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert lines[-1] == 'CMD ["python", "app.py"]'
    user, command = (
        next(i for i, x in enumerate(lines) if x.startswith(w)) for w in ("USER", "CMD")
    )
    assert lines[user] != "USER root" and user < command
    assert any(line.startswith("FROM python:3.12-slim") for line in lines)
    assert any("whl/cpu" in line and "requirements.txt" in line for line in lines)
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    taken = (ROOT / ".dockerignore").read_text()
    for part in (word for word in copied if not word.startswith("--")):
        assert (ROOT / part).exists() and f"!{part}\n" in taken
