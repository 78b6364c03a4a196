"""Take the pictures of docs/pictures: `python scripts/take_screenshots.py`, with Chromium."""

import os
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright import sync_api

from memviz.ui import app

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOOKS = (("wide", 1280, 900, "light"),)
TABS = {  # what stands on the page once a tab has drawn itself
    "compare": ".mv-plot .main-svg",
    "transition": "#t-prompt",
    "neighbours": "#near-picture",
    "train": "#train-tab",
    "runs": "#title",
    "about": "#title",
}
SEEN = "[...document.images].every((image) => image.complete || image.loading === 'lazy')"
COLORS = 96  # of a picture: a tenth of the bytes, and nothing that is read is lost
PATIENCE = 60_000  # ms


def take(page: sync_api.Page, url: str, tab: str, scheme: str) -> Image.Image:
    """One tab as it opens."""
    page.goto(f"{url}?tab={tab}&__theme={scheme}")
    page.locator(TABS[tab]).first.wait_for(state="attached")
    page.wait_for_load_state("load")
    page.wait_for_function(SEEN)
    page.wait_for_timeout(1_500)  # what comes by the queue has no common sign of being drawn
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def main() -> None:
    """Serve the app with an empty data folder and look at every tab."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_api.sync_playwright() as playwright:
        os.environ["MEMVIZ_HOME"] = home
        demo = app.build()
        url = app.launch(demo, prevent_thread_lock=True, quiet=True)
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, width, height, scheme in LOOKS:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(PATIENCE)
            for tab in TABS:
                picture = take(page, url, tab, scheme).quantize(COLORS)
                picture.save(FOLDER / f"{tab}-{name}.png", optimize=True)
            page.close()
        browser.close()
        demo.close()


if __name__ == "__main__":
    main()
