"""A Space: what would be uploaded, to where, and that it starts where nothing can be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import yaml

from memviz.cli import publish_space
from memviz.io import paths
from tests.support import processes
from tests.support.chromium import answers, free_port
from tests.support.command_line import call

ROOT = Path(__file__).parents[2]
SPACE = "somebody/memviz"


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space") / "files"
    assert call("publish-space", SPACE, "--folder", folder).returncode == 0
    return folder


def test_a_space_is_given_what_it_needs_and_nothing_else(staged):
    top = {path.name for path in staged.iterdir()}
    assert top == {"README.md", "LICENSE", "app.py", "requirements.txt", "memviz", "assets",
                   "docs", ".gitattributes"}  # fmt: skip
    assert not [*staged.rglob("__pycache__")] and not [*staged.rglob("*.pyc")]
    assert {path.suffix for path in (staged / "docs").iterdir()} == {".png"}


def test_large_files_are_kept_by_lfs(staged):
    rules = (staged / ".gitattributes").read_text()
    large = [p for p in staged.rglob("*") if p.is_file() and p.stat().st_size > 10 * 10**6]
    assert large
    assert all(f"{p.relative_to(staged).as_posix()} filter=lfs" in rules for p in large)


def test_a_space_without_a_gpu_takes_the_small_wheels(staged, tmp_path):
    assert (staged / "requirements.txt").read_text().startswith(publish_space.CPU_WHEELS)
    publish_space.stage_space(tmp_path / "gpu", SPACE, "gpu")
    assert "extra-index" not in (tmp_path / "gpu/requirements.txt").read_text()


def test_the_header_is_what_spaces_read(staged):
    head = yaml.safe_load((staged / "README.md").read_text().split("---")[1])
    assert head["python_version"] == "3.12"  # ZeroGPU has 3.12 and 3.10 only
    assert SPACE in head["thumbnail"]


def test_it_is_uploaded_in_one_call_and_the_address_printed(monkeypatch):
    sent = []

    class StandIn:
        def create_repo(self, repo_id, **options):
            sent.append((repo_id, options))

        def upload_folder(self, *, repo_id, folder_path, **options):
            sent.append((repo_id, sorted(p.name for p in Path(folder_path).iterdir()), options))

    monkeypatch.setattr(huggingface_hub, "HfApi", StandIn)
    told = call("publish-space", SPACE)
    assert told.returncode == 0 and f"https://huggingface.co/spaces/{SPACE}" in told.stdout
    made, uploaded = sent
    assert made == (SPACE, {"repo_type": "space", "space_sdk": "gradio", "exist_ok": True})
    assert uploaded[0] == SPACE and "app.py" in uploaded[1]
    assert uploaded[2]["repo_type"] == "space"


@pytest.mark.parametrize("name", ["memviz", "/x", "a/b/c"])
def test_what_names_no_space_is_refused(name):
    told = call("publish-space", name)
    assert told.returncode == 2 and "USER/NAME" in told.stderr


def test_a_space_keeps_what_it_makes_in_data_or_for_a_while(monkeypatch, tmp_path):
    monkeypatch.delenv("MEMVIZ_HOME")
    monkeypatch.setenv("SPACE_ID", SPACE)
    monkeypatch.setattr(paths, "DATA", tmp_path)
    assert paths.home() == tmp_path / "memviz"
    monkeypatch.setattr(paths, "DATA", tmp_path / "nothing")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert paths.home().name == "memviz" and not paths.home().is_relative_to(Path.home())


@pytest.mark.slow
def test_it_starts_for_an_unprivileged_user_whose_home_cannot_be_written(staged):
    python, options = sys.executable, {}
    packages = next(p for p in sys.path if p.endswith("site-packages"))
    if os.getuid() == 0:  # root may write anywhere, and its own Python may be closed to others
        version = f"python3.{sys.version_info.minor}"
        python, options = shutil.which(version, path="/usr/bin"), {"user": 65534, "group": 65534}
        if python is None:
            pytest.skip(f"no /usr/bin/{version} that another user can run")
    for folder in (staged, *staged.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    port = free_port()
    env = {"PATH": os.environ["PATH"], "HOME": "/proc", "SPACE_ID": SPACE, "PYTHONPATH": packages,
           "GRADIO_SERVER_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1", "HF_HUB_OFFLINE": "1",
           "OMP_NUM_THREADS": "1"}  # fmt: skip
    with subprocess.Popen(
        [python, "app.py"], cwd=staged, env=env, stderr=subprocess.STDOUT, **options
    ) as process:
        try:
            processes.until(lambda: answers(f"http://127.0.0.1:{port}/", process), 300)
        finally:
            process.terminate()
