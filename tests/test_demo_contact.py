"""The contact sheet puts each picture under its title and beside its prompt."""

import pytest
from PIL import Image

from memviz import studio
from memviz.demo import contact


def test_every_picture_lies_enlarged_at_its_place():
    colours = [["#ff0000", "#00ff00"], ["#0000ff", "#ffff00"]]
    pictures = [[Image.new("RGB", (64, 64), c) for c in row] for row in colours]
    sheet = contact.mounted(["a", "b"], ["left", "right"], pictures, ["1", "2", "3", "4"])
    high = contact.HEAD + contact.CELL + contact.LINE
    for row in range(2):
        for column in range(2):
            left = contact.GAP + column * (contact.CELL + contact.GAP)
            top = contact.LINE + row * high + contact.HEAD
            for corner in ((left, top), (left + contact.CELL - 1, top + contact.CELL - 1)):
                assert sheet.getpixel(corner) == pictures[row][column].getpixel((0, 0))


@pytest.mark.slow
def test_the_demo_s_own_sheet_shows_the_copied_picture_first():
    sheet = contact.contact_sheet(prompts=1)
    box = (contact.GAP, contact.LINE + contact.HEAD)
    first = sheet.crop((*box, box[0] + contact.CELL, box[1] + contact.CELL)).resize((64, 64), 0)
    image = studio.eye("demo-10k", "demo").corpus.image(0)
    assert first.tobytes() == image.tobytes()
