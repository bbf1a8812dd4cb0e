"""The benchmarks' plots."""

import re
from xml.etree import ElementTree

from bench.drawing import bars, lines, written

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_values():
    drawn = ElementTree.fromstring(bars("Accepted", [("ours", 300.0), ("theirs", 75.0)], "/s"))

    widths = [float(bar.get("width", 0)) for bar in drawn.iter(f"{SVG}rect")][1:]
    assert round(widths[0] / widths[1], 2) == 4
    assert [text.text for text in drawn.iter(f"{SVG}text")] == ["Accepted", "ours", "300 /s", "theirs", "75.0 /s"]


def test_an_aim_beyond_every_bar_is_within_the_drawing():
    drawn = ElementTree.fromstring(bars("Relayed", [("ours", 10.0)], "/s", aim=100.0))

    line = next(drawn.iter(f"{SVG}line"))
    assert float(line.get("x1", 0)) < float(drawn.get("width", 0))


def test_bars_of_nothing_are_drawn_without_a_length():
    assert 'width="0.0"' in bars("Nothing", [("a", 0.0)], "ms")


def test_what_is_higher_on_a_line_is_larger_and_tens_are_equally_far_apart():
    drawn = lines("Reads", {"page": [(1_000, 10.0), (10_000, 20.0), (100_000, 10.0)]}, "ms", "complaints")

    points = re.search(r'points="([^"]+)"', drawn)
    assert points
    (x1, y1), (x2, y2), (x3, y3) = [tuple(map(float, each.split(","))) for each in points[1].split(" ")]
    assert y2 < y1 == y3
    assert round(x2 - x1) == round(x3 - x2)


def test_one_size_alone_can_be_drawn():
    assert "<polyline" in lines("Reads", {"page": [(1_000, 10.0)]}, "ms", "complaints")


def test_names_are_no_markup():
    assert "<b>" not in bars("a <b>", [("<b>", 1.0)], "<b>")


def test_figures_are_written_short():
    assert [written(value) for value in (1234.5, 12.34, 1.234)] == ["1,234", "12.3", "1.23"]
