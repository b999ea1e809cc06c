from __future__ import annotations

import pytest
from PIL import Image

from app.errors import InvalidImage
from app.inference.images import decode
from tests.bombs import gif, gif_comment, gif_frame
from tests.pictures import animation, drawn_in, stored


def test_comments_and_later_frames_stay_out_of_the_decoder() -> None:
    image = decode(gif(1, 1, gif_comment(200, 5_000), gif_frame(), gif_comment(9, 90), gif_frame()))

    assert image.pixels.shape == (1, 1, 3)
    assert image.steps[0] == "first of 2 frames"


def test_the_clear_colour_of_the_first_frame_is_kept() -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 90, 0, 0])

    assert decode(stored(picture, "GIF", transparency=1)).pixels.min() == 255


def test_a_frame_that_sticks_out_makes_the_picture_larger() -> None:
    image = decode(gif(1, 1, gif_frame(left=3)))

    assert (image.width, image.height) == (4, 1)


def test_a_missing_end_is_forgiven_a_cut_frame_is_not() -> None:
    data = animation("GIF", 2)

    assert decode(data[:-1]).width == 96
    with pytest.raises(InvalidImage):
        decode(data[:-2])


@pytest.mark.parametrize("data", [b"GIF89a", gif(4, 4), gif(4, 4, b"what"), drawn_in("GIF")[:20]])
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)
