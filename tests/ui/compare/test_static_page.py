"""The page of a run holds all that it shows, and what a person typed stays text in it."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from memviz.runs import store
from memviz.ui.compare import static_page
from tests.support import fixture_run
from tests.support.chromium import CHROMIUM, FLAGS, NONE, sync_api


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    run = store.open_folder(fixture_run.make(folder, steps=6, prompt="a </script><b>fox</b>"))
    return static_page.write_page(run, folder / "run.html")


def test_modules_name_each_other_without_a_place():
    found = static_page.collect_modules(static_page.MODULE)
    assert {"compare/player.js", "shared/dom.js", "shared/plot.js"} <= set(found)
    named = {
        name for text in found.values() for name in re.findall(r"\bfrom '(.*?)'", text.decode())
    }
    assert named <= set(found)


def test_a_prompt_closes_no_element(file):
    text = file.read_text()
    assert "<b>fox" not in text and text.count("</script>") == text.count("<script")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=NONE)
def test_it_plays_from_disk_and_asks_for_nothing(file):
    with ThreadPoolExecutor(1) as pool:  # a browser test before this one leaves a running loop
        asked, broken = pool.submit(play, file).result()
    assert broken == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]


def play(file):
    """Walk through the page; the addresses it asked for, and its script errors."""
    asked, broken = [], []
    with sync_api.sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(file.as_uri())
        page.locator(".mv-curves .js-plotly-plot, .js-plotly-plot").first.wait_for()
        page.get_by_label("Step", exact=True).press("Home")
        assert page.locator(".mv-readout").inner_text().startswith("step 0 of 5")
        page.get_by_role("button", name="Play", exact=True).click()
        page.locator(".mv-readout", has_text="step 5 of 5").wait_for()
        page.locator(".mv-pic").first.click()
        page.locator("dialog[open]").get_by_text("Training image #17").first.wait_for()
    return asked, broken
