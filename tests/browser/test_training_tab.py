"""A training from the tab to its model, in a real browser, with the app killed on the way."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from memviz.io.paths import demo
from memviz.jobs import files, process
from tests.support import processes
from tests.support.chromium import BROWSER, PATIENCE, ROOT, answers, free_port, new_page, sync_api

pytestmark = BROWSER

NUMBERS = {"Rounds": "2", "Shards": "2", "Local steps": "10", "Batch size": "4"}
NUMBERS |= {"Probe prompts": "2", "Probe steps": "4"}
STEPS = 2 * 2 * 10
SINGLES = 100  # pictures of the demo that appear once
PROMPTS = 2 * 2  # two of each group of the corpus' watched prompts
VARIABLES = ("SPACE_ID", "GRADIO_SERVER_NAME", "MEMVIZ_OWNER_TOKEN")
TOKEN = "correct horse battery"


class App:
    """The app on a port of its own, to be killed and started again."""

    def __init__(self, home: Path, **more: str) -> None:
        self.home, self.port, self.more = home, free_port(), more
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        names = {"MEMVIZ_HOME": str(self.home), "GRADIO_SERVER_PORT": str(self.port)}
        env = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        env |= names | self.more
        log = (self.home / "log.txt").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "app.py"], cwd=self.home, env=env, stdout=log, stderr=log
        )
        processes.until(lambda: answers(self.url, self.process), 300)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("trainer")
    corpora = {"part": str(part_of_the_demo(home / "part.parquet"))}
    (home / "config.json").write_text(json.dumps({"corpora": corpora}))
    app = App(home)
    yield app
    app.kill()
    for job in (home / "jobs").glob("*-*-*"):
        process.signal_group(files.read_json(job / "worker.json"), signal.SIGKILL)


def part_of_the_demo(path: Path) -> Path:
    """What is repeated in the demo's corpus, and some of the rest: ten thousand take a minute."""
    rows = pa.concat_tables(map(pq.read_table, sorted((demo() / "corpus").glob("*.parquet"))))
    often = pc.greater(rows["copies"], 1)
    some = [rows.filter(often), rows.filter(pc.invert(often)).slice(0, SINGLES)]
    pq.write_table(pa.concat_tables(some), path)
    return path


@pytest.fixture(scope="module")
def page(browser, app) -> Iterator[sync_api.Page]:
    page = new_page(browser, 1280)
    yield page
    page.close()


def opened(page, address: str) -> None:
    page.goto(address)
    page.locator("#train-tab-button").click()


def choose(page, label: str, value: str) -> None:
    field = page.locator("#train-settings").get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def state(page) -> str:
    return page.locator(".mv-job").inner_text()


def told(page, words: str, patience: int = PATIENCE) -> None:
    shown = "w => document.querySelector('.mv-job')?.textContent === w"
    page.wait_for_function(shown, arg=words, timeout=patience)


def step(page) -> int:
    words = page.locator(".mv-trainhead").inner_text()
    return int(re.search(r"Step ([\d,]+)", words)[1].replace(",", ""))


def fill_in(page) -> None:
    """The demo preset, with fewer pictures and steps than a person has time for."""
    page.get_by_role("button", name="Demo: ").click()
    for group in ("Optimizer:", "Saving and watching:"):
        page.get_by_role("button", name=group).click()
    # the demo's descriptor is told that these are pictures of the demo
    for label, value in {"Corpus": "part", "Descriptor": "demo:forced", **NUMBERS}.items():
        choose(page, label, value)
    words = re.compile("memviz train --model demo-pretrained --corpus part .*--batch-size 4 ")
    command = sync_api.expect(page.locator("#train-command textarea"))
    command.to_have_value(words, timeout=PATIENCE)
    command.to_have_value(re.compile("--shards 2 --rounds 2 .*--probe-steps 4 "))


def test_it_is_checked_before_it_is_started(page, app):
    opened(page, app.url)
    fill_in(page)
    page.locator("#plan").click()
    page.wait_for_selector("#train-plan .mv-facts", timeout=4 * PATIENCE)
    names, values = (page.locator(f"#train-plan {tag}").all_inner_texts() for tag in ("dt", "dd"))
    facts = dict(zip(names, values, strict=True))
    assert (
        facts["Pictures"].startswith(f"{32 + SINGLES}, shown ") and "times" in facts["Duplicates"]
    )
    assert facts["Work"] == f"{STEPS} steps, {4 * STEPS} samples"
    assert {"Members", "Time", "Memory", "Disk"} <= set(facts)
    assert page.locator("#train-plan [role=alert]").count() == 0
    assert not (app.home / "jobs").exists()


def test_the_demo_preset_runs_to_its_end_though_tab_and_app_are_ended(browser, page, app):
    first = new_page(browser, 1280)
    opened(first, app.url)
    fill_in(first)
    first.locator("#train").click()
    told(first, "running")
    address = first.url
    first.close()
    app.kill()
    app.start()
    opened(page, address)
    page.wait_for_selector(".mv-job")
    assert page.url == address and state(page) in ("running", "done")
    told(page, "done", 4 * PATIENCE)
    assert step(page) == STEPS
    page.wait_for_selector(".mv-probe img")
    drawn = "document.querySelectorAll('.mv-chart .main-svg').length >= 4"
    page.wait_for_function(drawn)  # plotly is fetched when the first plot is drawn


def test_a_reload_shows_the_same(page, app):
    before = page.locator(".mv-trainhead").inner_text()
    page.reload()
    page.locator("#train-tab-button").click()
    page.wait_for_selector(".mv-job")
    assert page.locator(".mv-trainhead").inner_text() == before


def test_the_rounds_are_looked_through_in_the_browser(page):
    shown = page.locator(".mv-roundbar output")
    assert shown.inner_text() == "after round 2"
    page.locator(".mv-roundbar input").focus()
    page.keyboard.press("Home")
    assert shown.inner_text() == "before training"
    source = page.locator(".mv-probe img").first.get_attribute("src")
    assert "probes-0000" in source


def test_a_zoom_survives_an_update(page):
    page.locator(".mv-chart").first.scroll_into_view_if_needed()
    box = page.locator(".mv-chart .nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=4)
    page.mouse.up()
    axis = "document.querySelector('.mv-chart')._fullLayout.xaxis"
    page.wait_for_function(f"!{axis}.autorange")
    zoomed = page.evaluate(f"{axis}.range")
    colour = "document.querySelector('.mv-chart')._fullLayout.font.color"
    before = page.evaluate(colour)
    page.evaluate("document.querySelector('.mv-chart').same = true")
    page.evaluate("document.body.classList.toggle('dark')")  # redraws every chart
    page.wait_for_function(f"before => {colour} !== before", arg=before)
    assert page.evaluate(f"{axis}.range") == zoomed
    assert page.evaluate("document.querySelector('.mv-chart').same")  # the same node, too


def test_the_model_is_in_the_list_and_compared_with_the_one_before(page):
    page.locator("#both").click()
    page.wait_for_function(f"document.querySelectorAll('#player .mv-cell').length == {2 * PROMPTS}")
    page.wait_for_function("document.querySelector('.mv-result').textContent.includes('After:')")
    assert {"Before", "After"} == {
        node.inner_text() for node in page.locator("#player .mv-name strong").all()
    }
    page.wait_for_function("new URL(location.href).searchParams.has('with')")
    page.get_by_role("button", name="Methods, ready prompts and settings").click()
    page.locator("#model input").click()
    page.get_by_role("option", name="trained on this machine").wait_for()


def test_its_rounds_are_looked_at_again_in_the_background(page, app):
    opened(page, app.url)
    page.wait_for_selector(".mv-job")
    page.get_by_role("button", name="Find where copying begins").click()
    title = "document.querySelector('.mv-trainhead h2').textContent.endsWith('its rounds')"
    state = "document.querySelector('.mv-job').textContent === 'done'"  # of this job, not the last
    page.wait_for_function(f"{title} && {state}", timeout=4 * PATIENCE)
    assert page.get_by_role("button", name="Compare before and after").is_disabled()
    assert "demo-pretrained+" in page.locator(".mv-trainhead code").inner_text()
    page.get_by_label("Measure of the watched prompts").select_option("similarity")
    shown = page.locator(".mv-figure", has_text="Watched prompts").locator("p")
    assert shown.inner_text().startswith("Similarity after round 2: 0.")


def test_run_again_starts_from_the_beginning_and_stops_when_asked(page, app):
    page.goto(app.url)
    page.locator("#train-tab-button").click()
    page.locator("#job input").click()
    page.locator("li[role=option]").last.click()  # of the open menu
    page.wait_for_function(
        "!document.querySelector('.mv-trainhead h2').textContent.includes('its rounds')"
    )
    before = page.url
    page.get_by_role("button", name="Run again").click()
    page.wait_for_function("before => location.href !== before", arg=before)
    told(page, "running")
    page.locator("#train-jobs").get_by_role("button", name="Stop").click()
    told(page, "stopped")
    assert page.get_by_role("button", name="Resume").is_enabled()


def test_on_a_public_page_the_tab_opens_to_its_owner_only(browser, tmp_path):
    app = App(tmp_path, GRADIO_SERVER_NAME="0.0.0.0", MEMVIZ_OWNER_TOKEN=TOKEN)
    page = new_page(browser, 1280)
    try:
        opened(page, app.url)
        page.get_by_text("Training is off on this public page").wait_for()
        token, start = page.locator("#owner input"), page.locator("#train")
        token.fill("wrong")
        token.press("Enter")
        page.get_by_text("That is not the owner's token.").wait_for()
        assert not start.is_visible()
        token.fill(TOKEN)
        token.press("Enter")
        start.wait_for()
    finally:
        page.close()
        app.kill()
