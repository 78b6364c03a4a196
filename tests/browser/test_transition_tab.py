"""The Transition tab in a real browser: sweep, drag the handle, re-run, and the same picture."""

import io
import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from tests.support.chromium import BROWSER, PATIENCE, ROOT, new_page

pytestmark = BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
STEPS = 8


@pytest.fixture(scope="module")
def swept(browser, app):
    """A small sweep, made by the buttons of the tab."""
    page = new_page(browser, 1280)
    broken = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(app)
    page.get_by_role("tab", name="Transition").click()
    page.get_by_text("A finished example.").wait_for()
    page.get_by_text("What varies, seeds, steps and what is recorded").click()
    page.locator("#t-values textarea, #t-values input").first.fill("200:800:300")
    page.locator("#t-seeds textarea, #t-seeds input").first.fill("0")
    page.locator("#t-steps input").first.fill(str(STEPS))
    page.locator("#t-go").click()
    page.wait_for_function("!document.querySelector('.mvt-picture').offsetParent")
    done = "document.querySelector('.mvt-picture img')?.src.includes('images/')"
    page.wait_for_function(done, timeout=4 * PATIENCE)  # the model is loaded first
    page.wait_for_selector("#mvt-signal .main-svg")
    yield page
    assert broken == []
    page.close()


def test_the_map_shows_a_picture_for_each_cell(swept):
    (row,) = swept.evaluate("document.getElementById('mvt-sweep').data[0].z")
    assert len(row) == 3 and all(0 < similarity <= 1 for similarity in row)
    first = swept.locator(".mvt-picture img").first.get_attribute("src")
    swept.locator("#mvt-sweep").focus()
    swept.keyboard.press("ArrowRight")
    swept.wait_for_function(
        "before => document.querySelector('.mvt-picture img').src !== before", arg=first
    )
    assert "evaluations" in swept.locator(".mvt-words").first.inner_text()


def test_dragging_the_handle_moves_the_transition(swept):
    handle = swept.locator(".mvt-handle")
    handle.scroll_into_view_if_needed()
    box, plot = handle.bounding_box(), swept.locator("#mvt-signal").bounding_box()
    swept.mouse.move(box["x"] + 11, box["y"] + box["height"] / 2)
    swept.mouse.down()
    swept.mouse.move(plot["x"] + plot["width"] * 0.6, box["y"] + 40, steps=4)
    swept.mouse.up()
    dragged = int(handle.get_attribute("aria-valuenow"))
    assert 2 < dragged < STEPS - 1
    swept.keyboard.press("ArrowLeft")
    assert int(handle.get_attribute("aria-valuenow")) == dragged - 1


def test_a_re_run_from_the_handle_is_a_fresh_runs_picture(swept, app, tmp_path):
    t = int(swept.locator(".mvt-handle").get_attribute("aria-valuetext").split("t = ")[1])
    swept.get_by_role("button", name="Re-run from here").click()
    image = swept.locator(".mvt-again img")
    image.wait_for(timeout=PATIENCE)
    said = swept.locator(".mvt-how").inner_text()
    assert "steps were taken from the stored run" in said and not said.startswith("0 of")
    rerun = Image.open(io.BytesIO(swept.request.get(image.get_attribute("src")).body()))
    prompt = swept.locator("#t-prompt textarea").input_value()
    command = [
        *(sys.executable, "-m", "memviz", "compare", "--prompt", prompt, "--seeds", "0"),
        *("--methods", f"stp:at={t}", "--steps", STEPS, "--json"),
    ]
    env = os.environ | {"MEMVIZ_HOME": str(tmp_path)}
    made = subprocess.run([*map(str, command)], cwd=ROOT, env=env, capture_output=True, check=True)
    fresh = Image.open(json.loads(made.stdout)["cells"][0]["image"])
    assert rerun.convert("RGB").tobytes() == fresh.convert("RGB").tobytes()


def test_each_figure_can_be_exported(swept):
    figures = swept.locator("#transition .mvt-figure:has(.mvt-exports):visible")
    assert figures.count() >= 3  # the map, the curves, the trade-off
    for i in range(figures.count()):
        made = figures.nth(i)
        saved = {name: exported(swept, made, name) for name in ("PNG", "SVG", "CSV")}
        assert saved["PNG"].startswith(b"\x89PNG") and b"<svg" in saved["SVG"][:500]
        assert len(saved["CSV"].splitlines()) > 2
        made.get_by_role("button", name="Copy command").click()
        made.get_by_role("button", name="Copied to clipboard").wait_for()
    text = exported(swept, figures.first, "CSV").decode().splitlines()
    assert text[0].startswith("at,seed,similarity") and len(text) == 4


def exported(page, figure, name):
    with page.expect_download() as found:
        figure.get_by_role("button", name=name, exact=True).click()
    return found.value.path().read_bytes()


def test_a_press_on_a_word_removes_it_and_compares(swept):
    prompt = swept.locator("#t-prompt textarea").input_value()
    swept.get_by_role("button", name="Which words did it?").first.click()
    swept.locator("#t-words-go").click()
    words = swept.locator(".mvt-word")
    words.first.wait_for(timeout=PATIENCE)
    assert words.count() == len(prompt.split())
    words.nth(1).click()
    rest = " ".join(word for i, word in enumerate(prompt.split()) if i != 1)
    swept.locator(".mvt-one", has_text=rest).locator(".mv-chip").wait_for()
    assert swept.locator(".mvt-one").count() == 2
    swept.locator(".mvt-one", has_text=rest).click()
    assert swept.locator(".mvt-one").nth(1).get_attribute("aria-pressed") == "true"


def test_a_sweep_in_the_background_is_watched_to_its_end(swept):
    swept.locator("#t-values textarea, #t-values input").first.fill("300:700:400")
    swept.locator("#t-later").click()
    swept.get_by_text("The sweep in the background is done.").wait_for(timeout=4 * PATIENCE)
    (row,) = swept.evaluate("document.getElementById('mvt-sweep').data[0].z")
    assert len(row) == 2 and all(0 < similarity <= 1 for similarity in row)
