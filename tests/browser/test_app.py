"""The app in a real browser: Debian's Chromium, the bundled demo, no network."""

import pytest

from tests.support.chromium import BROWSER, RUN, new_page, serious

pytestmark = BROWSER

ALL_SHEETS = """() => [...document.querySelectorAll('span.mv-layer')].every(
    (sheet) => sheet.style.backgroundImage)"""


def opened(page, app, query: str = f"run={RUN}"):
    """The player with its pictures and curves drawn."""
    page.goto(f"{app}?{query}")
    page.wait_for_selector(".mv-plot .main-svg")
    page.wait_for_function("document.querySelectorAll('.mv-layer:not([hidden])').length > 0")
    return page


def scrub(page, step: int) -> None:
    page.locator(".mv-range").evaluate(
        "(range, step) => { range.value = step; range.dispatchEvent(new Event('input')); }", step
    )


def step_words(page) -> str:
    return page.locator(".mv-readout").inner_text()


def test_it_opens_on_a_finished_example_with_all_controls(page, app):
    opened(page, app, "")
    assert page.locator(".mv-cell").count() >= 4
    assert page.locator(".mv-result").inner_text()
    assert page.locator("#go").is_enabled()


def test_the_story_stands_first_and_its_tour_is_left_once(page, app):
    opened(page, app, "")
    cards = page.locator(".mv-card")
    assert cards.count() == 4 and cards.locator("img").count() == 3
    assert page.locator(".mv-card img").first.bounding_box()["y"] < 600
    for number in (2, 3, 4):
        page.get_by_role("button", name="Next").first.click()
        assert page.locator(".mv-tourwords").inner_text().startswith(f"{number} of 4")
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Take the tour").wait_for()
    assert not page.locator(".mv-tourwords").is_visible()


def test_pictures_of_another_prompt_are_told_and_ctrl_enter_makes_ones_own(page, app):
    opened(page, app)
    settings(page)
    fill(page, "seeds", "0")
    fill(page, "steps", "4")
    assert not page.locator(".mv-stale").is_visible()
    fill(page, "prompt", "a cactus")
    page.locator(".mv-stale", has_text="Press Compare").wait_for()
    page.locator("#prompt textarea").press("Control+Enter")
    page.wait_for_selector(".mv-live")
    finished(page)
    assert page.locator(".mv-prompt q").inner_text() == "a cactus"
    assert not page.locator(".mv-stale").is_visible()


def test_back_closes_a_picture_and_returns_to_the_tab_before(page, app):
    opened(page, app)
    page.locator(".mv-pic").first.click()
    page.wait_for_selector("dialog[open]")
    page.go_back()
    page.wait_for_selector("dialog[open]", state="detached")
    assert page.url.startswith(app) and "cell=" not in page.url
    page.get_by_role("tab", name="Neighbours").click()
    page.wait_for_url("**tab=neighbours**")
    page.go_back()
    page.wait_for_selector("[role=tab][aria-selected=true]:has-text('Compare')")
    assert page.locator(".mv-cell").first.is_visible()


def test_fifty_steps_move_everything_and_ask_the_server_nothing(page, app):
    opened(page, app)
    page.wait_for_function(ALL_SHEETS)
    before, cursor = len(page.asked), page.locator(".mv-cursor")
    places, tiles = set(), set()
    for step in range(50):
        scrub(page, step)
        places.add(cursor.get_attribute("style"))
        tiles.add(page.locator("span.mv-layer").first.get_attribute("style"))
    assert len(places) == 50 and len(tiles) >= 49
    assert [url for url in page.asked[before:] if not url.startswith("blob:")] == []


def test_the_last_step_shows_the_final_picture_as_its_file(page, app):
    opened(page, app)
    scrub(page, 49)
    source = page.locator("img.mv-layer:not([hidden])").first.get_attribute("src")
    assert source.endswith("images/0.png")
    assert page.locator(".mv-now").first.inner_text() == "final picture"


def shown_steps(page) -> list[float]:
    return page.evaluate("document.querySelector('.mv-plot')._fullLayout.xaxis.range")


def drag_over_the_curves(page) -> list[float]:
    """Zoom in with the mouse, as a person does; the steps then shown."""
    box = page.locator(".mv-plot .nsewdrag").first.bounding_box()
    y, before = box["y"] + box["height"] / 2, shown_steps(page)
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=4)
    page.mouse.up()
    page.wait_for_function(
        "(x) => document.querySelector('.mv-plot')._fullLayout.xaxis.range[0] !== x", arg=before[0]
    )
    return shown_steps(page)


def test_a_zoom_survives_a_scrub_and_a_legend_click(page, app):
    opened(page, app)
    zoom = drag_over_the_curves(page)
    assert 5 < zoom[0] < 20 and 25 < zoom[1] < 45
    scrub(page, 30)
    page.locator(".mv-key").first.click()
    page.wait_for_selector(".mv-key[aria-pressed=false]")
    page.wait_for_function("document.querySelector('.mv-plot').data.some((t) => !t.visible)")
    assert shown_steps(page) == zoom


def test_keys_move_the_scrubber_and_jump_to_the_transition(page, app):
    opened(page, app)
    slider = page.locator(".mv-range")
    slider.focus()
    page.keyboard.press("Home")
    assert step_words(page).startswith("step 0 of 49")
    page.keyboard.press("ArrowRight")
    assert "step 1 of 49" in slider.get_attribute("aria-valuetext")
    page.locator(".mv-pic").nth(1).focus()
    page.keyboard.press("t")
    assert step_words(page).startswith("step 25 of 49")
    page.keyboard.press("?")
    assert page.locator("dialog[open] h2").inner_text() == "Keys"


def test_play_runs_to_the_end(page, app):
    opened(page, app)
    scrub(page, 44)
    page.locator(".mv-play").click()
    page.wait_for_function("document.querySelector('.mv-readout').textContent.includes('step 49')")
    page.wait_for_function("document.querySelector('.mv-play').textContent === 'Play'")


def test_a_cell_opens_beside_its_training_image_and_closes_again(page, app):
    opened(page, app)
    page.locator(".mv-pic").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    assert "Training image #17" in dialog.inner_text()
    assert "the threshold for a copy" in dialog.inner_text()
    dialog.locator("input[type=range]").press("End")
    assert "inset(0px 0%" in dialog.locator(".mv-over").get_attribute("style").replace(
        "0 0%", "0px 0%"
    )
    page.wait_for_function("document.querySelector('dialog[open] canvas').width === 64")
    assert dialog.locator(".mv-next li").count() == 5
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")


def test_captions_and_prompts_stay_text(page, app):
    opened(page, app)
    page.locator(".mv-pic").first.click()
    assert "<b>& friends</b>" in page.locator("dialog[open]").inner_text()
    assert page.locator(".mv-root script, .mv-root figcaption b b").count() == 0


def test_a_reload_shows_the_same_run_at_the_same_step(page, app):
    opened(page, app)
    scrub(page, 21)
    page.wait_for_url(f"**run={RUN}&t=21")
    page.reload()
    page.wait_for_selector(".mv-cell")
    assert step_words(page).startswith("step 21 of 49")


def test_an_unknown_run_gets_a_sentence_and_the_example(page, app):
    opened(page, app, "run=20250101-120000-ffffffffffffffff")
    assert "There is no run at this address" in page.locator("#message").inner_text()


def test_a_copied_table_has_every_step_of_every_cell(page, app):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, app)
    page.get_by_text("The numbers").click()
    assert page.locator(".mv-scroll tbody tr").count() == 50
    page.get_by_text("Copy all as CSV").click()
    page.wait_for_function("navigator.clipboard.readText().then((t) => t.startsWith('cell,'))")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].startswith("cell,prompt,method,seed,step,t,magnitude")
    assert len(lines) == 1 + 8 * 50


def fill(page, label: str, value: str) -> None:
    page.locator(f"#{label} textarea, #{label} input").first.fill(value)


def settings(page) -> None:
    page.get_by_text("Methods, ready prompts and settings").click()
    page.locator("#seeds input, #seeds textarea").first.wait_for()


BAD = [
    ("prompt", "  ", "empty"),
    ("prompt", "x" * 20_000, "20,000 characters"),
    ("steps", "0", "steps is 0"),
    ("steps", "100000", "steps is 100000"),
    ("seeds", "-1", "seed is -1"),
    ("seeds", "99999999999999999999999", "seed is 99999999999999999999999"),
    ("seeds", "one, two", "whole numbers"),
    ("seeds", "", "no seeds"),
    ("model", "no-such-model", "no-such-model"),
]


def test_bad_input_gets_a_sentence_and_keeps_what_is_there(page, app):
    opened(page, app)
    settings(page)
    fill(page, "prompt", "a fox")
    for field, value, said in BAD:
        before = page.locator(f"#{field} textarea, #{field} input").first.input_value()
        fill(page, field, value)
        page.keyboard.press("Tab")
        page.locator("#go").click()
        page.locator("#message [role=alert]", has_text=said).wait_for()
        assert "Traceback" not in page.locator("#message").inner_text()
        assert page.locator(".mv-cell").count() == 8
        fill(page, field, before)
        page.keyboard.press("Tab")
    assert page.locator("#go").is_enabled()


def finished(page) -> None:
    page.wait_for_function(
        "!document.querySelector('.mv-app').classList.contains('mv-live')"
        " && document.querySelector('#stop').disabled",
    )


def test_compare_makes_four_cells_live_and_a_reload_shows_them_again(page, app):
    opened(page, app)
    settings(page)
    fill(page, "seeds", "0")
    page.locator("#go").click()
    page.wait_for_selector(".mv-live img.mv-layer:not([hidden])")
    finished(page)
    assert page.locator(".mv-cell .mv-chip").count() == 4
    scrub(page, 20)
    page.wait_for_function("location.search.includes('t=20')")
    said, run = page.locator(".mv-result").inner_text(), page.url
    assert RUN not in run
    page.reload()
    page.wait_for_selector(".mv-cell")
    assert page.locator(".mv-result").inner_text() == said
    assert step_words(page).startswith("step 20 of")


@pytest.mark.parametrize("prompt", ["🦊🌵 狐 ثعلب", "<script>alert(1)</script> & <b>fox</b>"])
def test_other_scripts_emoji_and_markup_are_just_prompts(page, app, prompt):
    opened(page, app)
    settings(page)
    fill(page, "seeds", "0")
    fill(page, "steps", "4")
    fill(page, "prompt", prompt)
    page.locator("#go").click()
    page.wait_for_selector(".mv-live")
    finished(page)
    assert page.locator(".mv-prompt q").inner_text() == prompt


def test_a_reload_follows_a_run_in_progress_and_stop_keeps_what_is_there(page, app):
    opened(page, app)
    settings(page)
    fill(page, "steps", "400")
    page.locator("#go").click()
    page.wait_for_selector(".mv-live img.mv-layer:not([hidden])")
    page.wait_for_function(
        f"location.search.includes('run=') && !location.search.includes('{RUN}')"
    )
    page.reload()
    page.wait_for_selector(".mv-live img.mv-layer:not([hidden])")
    page.locator("#stop").click()
    finished(page)
    assert page.locator(".mv-result").inner_text().startswith("Stopped at step")
    assert page.locator(".mv-layer:not([hidden])").count() >= 8
    assert page.locator("#go").is_enabled()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_finding_and_no_sideways_scroll(browser, app, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = new_page(browser, width)
    opened(page, app, f"run={RUN}&__theme={scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(axe.run(page)) == {}
    page.locator(".mv-pic").first.click()
    page.wait_for_selector("dialog[open]")
    assert serious(axe.run(page)) == {}
    page.close()
