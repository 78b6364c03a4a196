"""An evaluation from the form to its pictures and one of them made again, in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.chromium import BROWSER, PATIENCE

pytestmark = [*BROWSER, pytest.mark.slow]
DONE = "() => document.querySelector('#evaluation .mv-job')?.textContent === 'done'"


def fill_in(page, name: str, value: str) -> None:
    field = page.locator(f"#{name}").locator("input, textarea").first
    field.fill(value)
    field.press("Enter")


def test_prompts_become_a_table_whose_pictures_can_be_made_again(page, app):
    page.goto(f"{app}?tab=evaluate")
    page.wait_for_selector("#e-go", state="visible")
    upload = {"name": "mine.txt", "mimeType": "text/plain", "buffer": b"retro diamond shirt\n"}
    page.locator("#e-upload input[type=file]").set_input_files(upload)
    for name, value in {"e-limit": "1", "e-seeds": "0,1", "e-steps": "4"}.items():
        fill_in(page, name, value)
    for method in ("Dynamic transition (DTP)", "Opposite guidance (OG)"):
        page.locator("#e-methods").get_by_label(method).uncheck()
    command = page.locator("#e-command textarea")
    expect(command).to_have_value(
        re.compile("--limit 1 --seeds 0,1 --steps 4 --methods cfg,stp --prompts UPLOAD"),
        timeout=PATIENCE,
    )

    page.locator("#e-plan").click()
    page.wait_for_selector("#e-card .mv-facts", timeout=4 * PATIENCE)
    card = page.locator("#e-card").inner_text()
    assert "4: 2 methods x 1 prompts" in card and "measured just now" in card

    page.locator("#e-go").click()
    page.wait_for_function(DONE, timeout=4 * PATIENCE)
    rows = page.locator("#evaluation .mv-evaltable tbody tr")
    assert rows.count() == 2 and rows.first.inner_text().startswith("CFG")
    sort = page.locator("#evaluation th", has_text=re.compile("^clipscore"))
    sort.get_by_role("button").click()
    assert sort.get_attribute("aria-sort") == "descending"
    with page.expect_download() as download:
        page.locator("#evaluation .mv-evalfiles a", has_text="JSON").click()
    result = json.loads(download.value.path().read_text())
    assert result["protocol"]["steps"] == 4 and len(result["rows"]) == 2
    page.wait_for_selector("#mvt-evaluation .scatterlayer", state="visible")

    page.locator("#evaluation .mv-open", has_text="CFG").click()
    pictures = page.locator("#e-pictures .mv-again")
    pictures.nth(1).wait_for()
    found = [float(re.search(r"-?\d\.\d+", text)[0]) for text in pictures.all_inner_texts()]
    assert len(found) == 2 and found == sorted(found, reverse=True)
    loaded = "image => image.complete && image.naturalWidth > 0"
    assert page.locator("#e-pictures img").first.evaluate(loaded)

    pictures.first.click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('tab') === 'compare'")
    shown = page.locator("#player .mv-prompt")
    expect(shown).to_contain_text("retro diamond shirt", timeout=4 * PATIENCE)
