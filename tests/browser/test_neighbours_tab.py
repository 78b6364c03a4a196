"""The Neighbours tab in a real browser: a picture, words, duplicates, a folder."""

from pathlib import Path

import pytest
from PIL import Image

from memviz.data import corpus
from tests.support.chromium import BROWSER, new_page, serious

pytestmark = BROWSER


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crop of a training image, a JPEG of another, a blank, and one that is no picture."""
    demo, place = corpus.load("demo-10k"), tmp_path_factory.mktemp("made")
    demo.image(demo.ids[17]).crop((6, 4, 60, 58)).resize((128, 128)).save(place / "crop.jpg")
    demo.image(demo.ids[40]).save(place / "small.jpg", quality=50)
    Image.new("RGB", (64, 64), "white").save(place / "blank.png")
    (place / "broken.png").write_bytes(b"x")
    return place


def tab(page, app):
    page.goto(app)
    page.get_by_role("tab", name="Neighbours").click()
    page.wait_for_selector("#near-picture input[type=file]", state="attached")
    return page


def test_a_crop_is_found_beside_its_training_image(page, app, folder):
    tab(page, app).set_input_files("#near-picture input[type=file]", folder / "crop.jpg")
    page.wait_for_selector("#neighbours .mv-wide")
    assert page.locator("#neighbours .mv-result").inner_text().startswith("Copied: the nearest is")
    assert "#17" in page.locator(".mv-wide figcaption").nth(1).inner_text()
    assert page.locator(".mv-histogram .mv-mark").count() == 2
    page.locator(".mv-slide input").focus()
    page.keyboard.press("Home")
    assert page.locator(".mv-slide input").get_attribute("aria-valuetext") == "0 % yours"
    assert page.locator(".mv-next img").count() == 9


def test_words_find_training_images_and_the_list_sorts_and_filters(page, app):
    tab(page, app).fill("#near-words textarea, #near-words input", "fox moon")
    page.keyboard.press("Enter")
    page.wait_for_selector("#neighbours .mv-twins")
    before = len(page.asked)
    scores = [float(text) for text in page.locator(".mv-pairs .mv-score b").all_inner_texts()]
    assert scores == sorted(scores, reverse=True) and len(scores) == 12
    page.get_by_label("Order").select_option("Least alike first")
    again = [float(text) for text in page.locator(".mv-pairs .mv-score b").all_inner_texts()]
    assert again == scores[::-1]
    page.get_by_label("Least similarity shown").fill("0.99")
    page.wait_for_function("!document.querySelector('.mv-twins')")
    assert "lower the least similarity" in page.locator(".mv-pairs").inner_text()
    page.get_by_label("Least similarity shown").fill("0")
    assert page.locator(".mv-captions mark").count() > 5
    page.locator(".mv-twins").first.click()
    assert page.locator("dialog .mv-four figure").count() == 4
    page.keyboard.press("Escape")
    assert [url for url in page.asked[before:] if "/pairs/" not in url] == []
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    assert len(Path(saved.value.path()).read_text().splitlines()) == 13


def test_a_link_opens_the_same_pair_of_the_same_search_again(page, app):
    tab(page, app).fill("#near-words textarea, #near-words input", "owl")
    page.click("#near-find")
    page.wait_for_selector("#neighbours .mv-twins")
    page.get_by_label("Order").select_option("By name")
    page.locator(".mv-twins").nth(4).click()
    page.wait_for_url("**pair=*")
    said, link = page.locator("dialog[open] h2").inner_text(), page.url
    assert "tab=neighbours" in link and "order=By+name" in link
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector("dialog[open] .mv-four")
    assert page.locator("dialog[open] h2").inner_text() == said
    page.keyboard.press("Escape")
    page.wait_for_function("!location.search.includes('pair=')")
    assert page.get_by_label("Order").input_value() == "By name"
    assert page.get_by_role("tab", name="Neighbours").get_attribute("aria-selected") == "true"


def test_an_unknown_search_gets_a_sentence(page, app):
    page.goto(f"{app}?tab=neighbours&search=20250101-120000-ffffffffffffffff")
    page.wait_for_selector("#near-message .mv-message")
    assert "no search at this address" in page.locator("#near-message").inner_text()


def test_a_hard_case_says_how_often_such_pictures_are_found(page, app):
    tab(page, app).get_by_role("button", name="Collage").click()
    page.wait_for_selector("#neighbours .mv-wide")
    said = page.locator("#neighbours .mv-head").inner_text()
    assert "Four pictures in one, made of training images #" in said
    assert "Of 200 such pictures" in said
    page.get_by_role("button", name="Two flat logos").click()
    page.wait_for_function("document.querySelectorAll('#neighbours .mv-twins').length === 2")


def test_duplicates_are_shown_in_groups_by_the_page(page, app):
    tab(page, app).click("#near-duplicates")
    page.wait_for_selector("#neighbours .mv-groups li")
    assert "groups of duplicates" in page.locator("#neighbours .mv-result").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    assert Path(saved.value.path()).read_text().startswith("group,times,id,caption")
    first = page.locator(".mv-groups").inner_text()
    page.get_by_role("button", name="Next").click()
    assert page.locator(".mv-groups").inner_text() != first


def test_a_folder_is_checked_in_the_background_and_opened(page, app, folder):
    tab(page, app).fill("#near-folder textarea, #near-folder input", str(folder))
    page.click("#near-check")
    page.wait_for_function("document.querySelector('.mv-jobs')?.innerText.includes('done')")
    page.reload()
    page.get_by_role("tab", name="Neighbours").click()
    page.click("#near-done input")
    page.get_by_role("option").first.click()
    page.wait_for_selector("#neighbours .mv-twins")
    said = page.locator("#neighbours .mv-result").inner_text()
    assert said == "Of 4 pictures: 2 copied, 2 not judged."
    assert "Too empty to judge" in page.locator(".mv-pairs").inner_text()
    page.locator("#neighbours summary").click()
    assert "broken.png" in page.locator("#neighbours details").inner_text()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report").click()
    assert opened.value.locator(".pair").count() == 3
    opened.value.close()


def test_mistakes_get_a_sentence(page, app):
    tab(page, app).fill("#near-folder textarea, #near-folder input", "/no/such/folder")
    page.click("#near-check")
    page.wait_for_selector("#near-message .mv-message")
    assert "No such folder" in page.locator("#near-message").inner_text()


def test_a_new_corpus_is_made_searchable_in_the_background(page, app, tmp_path):
    demo, place = corpus.load("demo-10k"), tmp_path / "new"
    place.mkdir()
    for id in demo.ids[:40]:
        (place / f"{id:04}.webp").write_bytes(demo.encoded(id))
        (place / f"{id:04}.txt").write_text(f"an owl, picture {id}")
    choose(tab(page, app), "#near-corpus", str(place))
    page.fill("#near-words textarea, #near-words input", "owl")
    page.click("#near-find")  # the demo's descriptor was not made to judge these pictures
    page.wait_for_selector("#near-message .mv-message:has-text('demo:forced')")
    choose(page, "#near-preset", "demo:forced")
    page.click("#near-find")
    page.wait_for_selector("#near-message .mv-message:has-text('is made searchable')")
    page.wait_for_selector(".mv-jobs li:has-text('it can be searched now')")
    page.wait_for_selector("#near-stop", state="hidden")
    page.click("#near-find")
    page.wait_for_selector("#neighbours .mv-twins")
    assert "40 training images of new" in page.locator("#neighbours .mv-head").inner_text()


def choose(page, menu: str, text: str) -> None:
    """Type a place where a list offers names."""
    page.fill(f"{menu} input", text)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_finding_in_pairs_groups_and_dialog(browser, app, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = new_page(browser, width)
    page.goto(f"{app}?tab=neighbours&__theme={scheme}")
    page.fill("#near-words textarea, #near-words input", "owl")
    page.click("#near-find")
    page.wait_for_selector("#neighbours .mv-twins")
    assert serious(axe.run(page)) == {}
    page.locator(".mv-twins").first.click()
    page.wait_for_selector("dialog[open] .mv-four")
    assert serious(axe.run(page)) == {}
    page.keyboard.press("Escape")
    page.click("#near-duplicates")
    page.wait_for_selector("#neighbours .mv-groups li")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(axe.run(page)) == {}
    page.close()
