from evaluation.crowd_table import OneEach, one_each
from evaluation.field_table import as_boxes

LEFT, RIGHT, FAR = (0, 0, 40, 40), (38, 0, 78, 40), (200, 200, 240, 240)


def test_touching_cells_that_were_found_apart_are_one_each() -> None:
    counted = one_each(as_boxes([LEFT, RIGHT, FAR]), [0.9, 0.8, 0.7], as_boxes([LEFT, RIGHT, FAR]))
    assert counted == OneEach(cells=3, found=3, one_each=3, touching=2, touching_one_each=2)


def test_two_cells_found_as_one_are_not_one_each() -> None:
    both = (0, 0, 78, 40)
    counted = one_each(as_boxes([both]), [0.9], as_boxes([LEFT, RIGHT]))
    assert counted == OneEach(cells=2, found=1, one_each=1, touching=2, touching_one_each=1)


def test_a_cell_found_twice_is_not_one_each() -> None:
    counted = one_each(as_boxes([FAR, (205, 205, 232, 232)]), [0.9, 0.6], as_boxes([FAR]))
    assert counted == OneEach(cells=1, found=1, one_each=0)


def test_white_cells_that_nobody_labelled_do_not_count() -> None:
    elsewhere = (400, 400, 440, 440)
    assert one_each(as_boxes([FAR, elsewhere]), [0.9, 0.8], as_boxes([FAR])) == OneEach(cells=1, found=1, one_each=1)
    assert one_each(as_boxes([elsewhere]), [0.8], as_boxes([])) == OneEach()
    assert one_each(as_boxes([]), [], as_boxes([FAR])) == OneEach(cells=1)


def test_pictures_add_up() -> None:
    one = OneEach(3, 3, 2, 2, 1)
    assert one + one == OneEach(6, 6, 4, 4, 2)
