"""A short sweep over damaged films."""

from pathlib import Path

import pytest
from film_damage import CODINGS, make_film, sweep


@pytest.mark.parametrize("coding", CODINGS)
def test_none_is_kept_that_the_decoder_tells_of_and_that_is_far_off(
    coding: str, tmp_path: Path
) -> None:
    pictures = list(sweep(0, 12, coding, make_film(tmp_path, coding)))
    heard = [seen for seen in pictures if seen.heard]
    assert [seen for seen in heard if seen.column == "kept, over 8"] == []
    assert all(seen.is_alike for seen in pictures)
    # What no decoder tells of is not thrown away, but behind what a stream lost.
    if ".ts" not in coding:
        assert all(not seen.reason for seen in pictures if not seen.heard)
    # The damage is neither so light nor so heavy that it tests nothing.
    assert len(pictures) >= 400
    if "VP" not in coding:
        assert sum(bool(seen.reason) for seen in heard) >= 10
