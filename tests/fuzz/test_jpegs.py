"""A short sweep over damaged JPEGs."""

from jpegs import sweep


def test_none_is_kept_that_is_far_off_and_few_are_thrown_away_that_are_not() -> None:
    copies = [copy for copy in sweep(0, 150) if copy.off is not None]
    heard = [copy for copy in copies if copy.warned]
    assert [copy for copy in heard if copy.column == "kept, over 8"] == []
    near = [copy for copy in copies if copy.off is not None and copy.off < 2]
    assert len(near) >= 40
    assert sum(not copy.kept for copy in near) < len(near) / 5
    silent = [copy for copy in copies if not copy.warned]
    assert all(copy.kept for copy in silent if copy.off < 2)
    far = [copy for copy in silent if copy.off > 8]
    assert sum(not copy.kept for copy in far) > len(far) / 2
    assert sum(copy.column == "thrown, over 8" for copy in heard) >= 20
