"""Imports point down: what the plan of the package forbids fails here."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = [ROOT / "app.py", *(ROOT / "memviz").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]
FILES = {str(file.relative_to(ROOT)): file for file in CODE}
BUILDERS = "memviz/demo/", "scripts/"
LIGHT = (
    "memviz.runs.store, memviz.jobs, memviz.guidance.registry, memviz.comparison.request, "
    "memviz.retrieval.verdict, memviz.cli"
)


def imports(file: Path) -> set[str]:
    """Every module a file imports, wherever in it: "a.b" and, for `from a import b`, both."""
    return {name for node in ast.walk(ast.parse(file.read_text())) for name in names(node, file)}


def names(node: ast.AST, file: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{file} has a relative import; the layers are read by full names"
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reaches(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def importers(package: str) -> list[str]:
    return [
        where for where, file in FILES.items() if any(reaches(n, package) for n in imports(file))
    ]


def allowed(where: str, places: tuple[str, ...]) -> bool:
    return any(where == place or where.startswith(place) for place in places)


@pytest.mark.parametrize(
    ("package", "places"),
    [
        ("gradio", ("memviz/ui/", "app.py")),
        ("plotly", ("memviz/ui/",)),
        ("memviz.ui", ("memviz/ui/", "app.py")),
        ("memviz.cli", ("memviz/__main__.py", "memviz/cli/", "scripts/")),
        ("memviz.cli.tables", ("memviz/cli/",)),
        ("memviz.demo", ("memviz/cli/", *BUILDERS)),
        (
            "memviz.training",
            ("memviz/training/", "memviz/cli/", "memviz/demo/", "scripts/", "memviz/ui/"),
        ),
        ("tests", ()),
        ("torchvision", ()),
    ],
)
def test_only_these_places_import(package, places):
    wrong = [where for where in importers(package) if not allowed(where, places)]
    assert not wrong, f"{package} is imported by {wrong}; only {places} may"


def test_the_tab_knows_of_training_only_what_can_be_asked():
    light = [f"memviz.training.{name}" for name in ("job", "config", "cli_flags", "BINS")]
    for where in importers("memviz.training"):
        if where.startswith("memviz/ui/"):
            found = {n for n in imports(FILES[where]) if n.startswith("memviz.training.")}
            assert all(any(reaches(name, part) for part in light) for name in found), where


def test_the_reader_of_imports_sees_them_all(tmp_path):
    file = tmp_path / "some.py"
    file.write_text("def f():\n    import gradio.themes as g\n    from memviz import ui\n")
    assert imports(file) == {"gradio.themes", "memviz", "memviz.ui"}


def test_a_cycle_between_modules_is_refused():
    graph = {module(where): top_level(file) for where, file in FILES.items()}
    for start in graph:
        assert start not in below(start, graph), f"{start} imports itself in the end"


def module(where: str) -> str:
    return where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def top_level(file: Path) -> set[str]:
    """What is imported as soon as the module is, less what only type checkers read."""
    body = ast.parse(file.read_text()).body
    return {name for node in body for name in names(node, file) if name.startswith("memviz.")}


def below(start: str, graph: dict[str, set[str]]) -> set[str]:
    found, queue = set(), [start]
    while queue:
        for name in graph.get(queue.pop(), set()) - found:
            found.add(name)
            queue.append(name)
    return found


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """All modules in a fresh interpreter that imported the light ones."""
    code = f"import sys, {LIGHT}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("heavy", ["torch", "diffusers", "transformers", "gradio", "plotly"])
def test_light_modules_load_nothing_heavy(loaded, heavy):
    assert heavy not in loaded
