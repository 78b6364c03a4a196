"""One app and one Chromium for all browser tests."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.chromium import (
    CHROMIUM,
    FLAGS,
    ROOT,
    RUN,
    answers,
    free_port,
    new_page,
    sync_api,
)


@pytest.fixture(scope="session")
def app(tmp_path_factory) -> Iterator[str]:
    """The app as a user starts it, with one hand-made run among its runs."""
    home = tmp_path_factory.mktemp("home")
    sys.path.insert(0, str(ROOT / "tests"))
    from tests.support import fixture_run, processes

    fixture_run.make(home / "runs", RUN)
    port = free_port()
    env = {**os.environ, "MEMVIZ_HOME": str(home), "GRADIO_SERVER_PORT": str(port)}
    log = (home / "log.txt").open("wb")
    process = subprocess.Popen(
        [sys.executable, ROOT / "app.py"], cwd=home, env=env, stdout=log, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}/"
    processes.until(lambda: answers(url, process), 300)
    yield url
    process.terminate()
    process.wait(20)
    log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def page(browser, app) -> Iterator[sync_api.Page]:
    """A page that notes its requests and whose script errors fail the test."""
    page = new_page(browser, 1280)
    page.asked, page.broken = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    yield page
    assert page.broken == []
    assert [url for url in page.asked if not url.startswith((app, "data:", "blob:"))] == []
    page.close()
