"""The contact sheet puts each picture under its title and beside its prompt."""

import pytest
from PIL import Image

from memviz import resources
from memviz.demo import contact_sheet


def test_every_picture_lies_enlarged_at_its_place():
    colours = [["#ff0000", "#00ff00"], ["#0000ff", "#ffff00"]]
    pictures = [[Image.new("RGB", (64, 64), c) for c in row] for row in colours]
    sheet = contact_sheet.mounted(["a", "b"], ["left", "right"], pictures, ["1", "2", "3", "4"])
    high = contact_sheet.HEAD + contact_sheet.CELL + contact_sheet.LINE
    for row in range(2):
        for column in range(2):
            left = contact_sheet.GAP + column * (contact_sheet.CELL + contact_sheet.GAP)
            top = contact_sheet.LINE + row * high + contact_sheet.HEAD
            for corner in (
                (left, top),
                (left + contact_sheet.CELL - 1, top + contact_sheet.CELL - 1),
            ):
                assert sheet.getpixel(corner) == pictures[row][column].getpixel((0, 0))


@pytest.mark.slow
def test_the_demo_s_own_sheet_shows_the_copied_picture_first():
    sheet = contact_sheet.contact_sheet(prompts=1)
    box = (contact_sheet.GAP, contact_sheet.LINE + contact_sheet.HEAD)
    first = sheet.crop((*box, box[0] + contact_sheet.CELL, box[1] + contact_sheet.CELL)).resize(
        (64, 64), 0
    )
    image = resources.load_detector("demo-10k", "demo").corpus.image(0)
    assert first.tobytes() == image.tobytes()
