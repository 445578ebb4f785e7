import numpy as np

from densegt.depth.depth_map import Source
from densegt.report import draw


def grid(*rows):
    return np.array(rows, dtype=np.float32)


def test_near_is_red_far_is_blue_unknown_is_dark():
    red, blue, none, nan = draw.colour_depth(grid([2, 80, 0, np.nan]))[0].astype(int)
    assert red[0] > 2 * red[2]
    assert blue[2] > blue[0]
    assert tuple(none) == tuple(nan) == draw.NOTHING


def test_beyond_the_scale_takes_its_end():
    colours = draw.colour_depth(grid([0.5, 2, 80, 250]))[0]
    assert (colours[0] == colours[1]).all()
    assert (colours[2] == colours[3]).all()


def test_uncertain_is_bright_and_no_depth_is_nothing():
    none, sure, surer, unsure, most = draw.uncertainty_picture(np.array([[0, 0.05, 0.01, 20, 99]], np.float16))[
        0
    ].astype(int)
    assert tuple(none) == draw.NOTHING
    assert (sure == surer).all()
    assert (unsure == most).all()
    assert unsure.sum() > 500 > 50 > sure.sum()


def test_overlay_keeps_the_image_grey_where_nothing_is_known():
    image = np.zeros((1, 2, 3), dtype=np.uint8)
    image[..., 0] = 240
    picture = draw.overlay(image, grid([0, 10]))
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [36, 36, 36]
    assert len(set(picture[0, 1].tolist())) == 3


def test_sources():
    picture = draw.source_picture(np.array([[0, 3, 77]], dtype=np.uint8))
    assert picture[0].tolist() == [list(draw.NOTHING), list(draw.SOURCE_COLOURS[Source.MOVER]), [255, 255, 255]]
    assert set(draw.SOURCE_COLOURS) == set(Source)


def test_errors():
    truth = np.zeros((3, 15), dtype=np.float32)
    depth = np.zeros_like(truth)
    truth[1, [1, 4, 7, 10]] = 10
    depth[1, [1, 4, 7, 13]] = 10.2, 16, 9, 20
    picture = draw.error_picture(depth, truth)[1]
    assert tuple(picture[1]) == draw.RIGHT
    assert tuple(picture[4]) == draw.TOO_FAR[1]  # 12 tolerances: saturated
    assert picture[7, 2] > picture[7, 0]  # 2 tolerances too near: bluish
    assert tuple(picture[10]) == draw.NOT_PREDICTED
    assert tuple(picture[13]) == draw.FALSE_POSITIVE
    assert tuple(picture[0]) == draw.NOTHING


def test_shrinking_keeps_the_nearest_and_what_lies_with_it():
    depth = grid([0, 9, 0, 0, 1], [4, 0, 0, 0, 1], [1, 1, 1, 1, 1])
    source = np.arange(15, dtype=np.uint8).reshape(3, 5)
    pick = draw.nearest_in_blocks(depth, 2)
    assert draw.shrink(depth, pick, 2).tolist() == [[4, 0]]
    assert draw.shrink(source, pick, 2)[0, 0] == 5
    colours = np.repeat(source[..., None], 3, axis=2)
    assert draw.shrink(colours, pick, 2)[0, 0].tolist() == [5, 5, 5]
    assert (draw.shrink(depth, draw.nearest_in_blocks(depth, 1), 1) == depth).all()
