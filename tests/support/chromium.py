"""What the browser tests share: where Chromium is, and how the app is waited for."""

import json
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
from playwright import sync_api

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
RUN = "20250101-120000-0123456789abcdef"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # ms

NONE = "no Chromium found: apt-get install chromium runs the browser tests"
BROWSER = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NONE)]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(url: str, process: subprocess.Popen) -> bool:
    """Whether the app is up; fails when it has died instead."""
    assert process.poll() is None, "the app ended before it answered"
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def new_page(browser, width: int) -> sync_api.Page:
    """A window; the patience is for machines that are busy with other things."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


def serious(results) -> dict[str, str]:
    """Critical and serious findings: the rule and where."""
    found = [v for v in results.response["violations"] if v["impact"] in ("critical", "serious")]
    return {v["id"]: json.dumps([n["html"][:160] for n in v["nodes"]]) for v in found}
