"""The benchmarks' percentiles and tables."""

from bench.figures import cell, markdown, percentiles, table


def test_the_median_and_the_99th_percentile_are_milliseconds():
    found = percentiles([number / 1000 for number in range(1, 102)])

    assert round(found["p50_ms"], 6) == 51
    assert round(found["p99_ms"], 6) == 100


def test_few_durations_have_percentiles_between_the_least_and_the_most():
    found = percentiles([0.010, 0.020])

    assert 10 <= found["p50_ms"] <= found["p99_ms"] <= 20


def test_a_table_is_aligned_and_has_no_blanks_at_its_ends():
    assert table([("", "p50", "note"), ("first", 1234.4, ""), ("the second", 1.234, "x")]).split("\n") == [
        "              p50  note",
        "first       1,234",
        "the second   1.23     x",
    ]


def test_rows_may_be_of_different_lengths():
    assert table([("a", 1), ("b", 2, "more")]).split("\n") == ["a  1", "b  2  more"]
    assert markdown([("a",), ("b", 2)]).split("\n") == ["| a |  |", "| --- | ---: |", "| b | 2 |"]


def test_a_bar_in_a_cell_ends_no_cell_of_markdown():
    assert "a \\| b" in markdown([("", ""), ("a | b", 1)])


def test_figures_are_written_with_three_digits_that_mean_something():
    assert [cell(value) for value in (12345.6, 99.94, 9.994, 0.01234, 12345, True, "x")] == [
        "12,346",
        "99.9",
        "9.99",
        "0.01",
        "12,345",
        "True",
        "x",
    ]
