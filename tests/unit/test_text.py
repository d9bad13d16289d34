import pytest

from reelbow.text import align, clean_text, count, format_time


@pytest.mark.parametrize(
    ("seconds", "how", "text"),
    [
        (0, {}, "0:00"),
        (59.6, {}, "1:00"),
        (3599, {}, "59:59"),
        (3600, {}, "1:00:00"),
        (90061, {}, "25:01:01"),
        (61, {"with_hours": True}, "0:01:01"),
        (59.96, {"decimals": 1}, "1:00.0"),
        (7200.05, {"decimals": 3}, "2:00:00.050"),
    ],
)
def test_times_are_written_like_a_clock(seconds, how, text):
    assert format_time(seconds, **how) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 ends or tops"), (1, "1 end or top"), (1e3, "1,000 ends or tops")],
)
def test_a_number_of_things_has_their_plural(number, text):
    assert count(int(number), "end or top") == text


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [("a", "bb", "c"), ("dd", "e", "fff")]
    assert align(rows) == ["a   bb  c  ", "dd  e   fff"]
    assert align(rows, right=True) == ["a   bb    c", "dd   e  fff"]


def test_a_clean_text_is_one_line_that_any_xml_may_have():
    assert clean_text("a\n\x1b b\x85c\ufffe\uffff\ud800 d") == "a b c d"
