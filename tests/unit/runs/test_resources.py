import pytest

from reelbow.runs.resources import (
    DECODE_MB,
    LEAST_MINUTES,
    ask_memory,
    ask_minutes,
    doubt_shards,
    estimate_clustering_s,
    estimate_downsampling_s,
    estimate_extraction_s,
    estimate_frames_mb,
    estimate_thumbnails_mb,
    has_gpu,
    measure_shard,
)

VIDEO = {
    "video": {"stored_width": 1920, "stored_height": 1080},
    "width": 1920,
    "height": 1080,
    "n_pictures": 15000,
    "n_frames": 600,
    "shards": {"00000": {"n_frames": 400}, "00001": {"n_frames": 200}},
}
TARBALLS = {
    "video": None,
    "width": 1000,
    "height": 1000,
    "n_frames": None,
    "shards": {"00000": {"n_frames": None}},
}
SIZES = {"mode": "interval", "frame_height": 360, "thumbnail_height": 90}
CLUSTERING = {"n_colors": 8, "n_init": 5, "engine": "numba"}


def measure(plan, shard="00000", **given):
    return measure_shard(plan, shard, **{**SIZES, **given})


def test_a_shard_of_a_video_has_its_part_of_the_pictures():
    first, second = measure(VIDEO), measure(VIDEO, "00001")
    assert (first.n_pictures, first.n_frames) == (10000, 400)
    assert (second.n_pictures, second.n_frames) == (5000, 200)
    assert first.stored_megapixels == pytest.approx(2.0736)
    assert first.frame_megapixels == pytest.approx(640 * 360 / 1e6)
    assert first.thumbnail_megapixels == pytest.approx(160 * 90 / 1e6)


def test_keyframes_are_decoded_alone():
    assert measure(VIDEO, mode="keyframes").n_pictures == 400


def test_nothing_is_made_larger():
    size = measure(VIDEO, frame_height=2000, thumbnail_height=3000)
    assert size.frame_megapixels == pytest.approx(2.0736)
    assert size.thumbnail_megapixels == pytest.approx(2.0736)
    assert measure(VIDEO, frame_height=None) == measure(VIDEO, frame_height=2000)


def test_frames_of_a_tarball_follow_from_its_bytes():
    size = measure(TARBALLS, tarball_bytes=20_000_000)
    assert (size.n_pictures, size.n_frames) == (0, 200)
    assert size.frame_megapixels == size.stored_megapixels == 1
    assert estimate_extraction_s(size) > 0
    assert estimate_frames_mb(size) == 0


def test_a_tarball_of_several_sizes_has_a_size_too():
    several = {**TARBALLS, "width": None, "height": None}
    size = measure(several, tarball_bytes=12_000_000)
    assert size.n_frames == pytest.approx(10)
    one = measure(TARBALLS, tarball_bytes=12_000_000)
    assert estimate_downsampling_s(size) == pytest.approx(estimate_downsampling_s(one))


def test_ten_minutes_of_1080p_take_about_what_was_measured():
    whole = measure({**VIDEO, "shards": {"00000": {"n_frames": 600}}})
    # 15,000 pictures at 2.9 ms, 600 averages at 2.9 ms, and small JPEGs.
    assert estimate_extraction_s(whole) == pytest.approx(45.5, abs=1)
    assert estimate_downsampling_s(whole) == pytest.approx(0.2, abs=0.1)
    # 600 thumbnails at 0.5 ms.
    assert estimate_clustering_s(whole, **CLUSTERING) == pytest.approx(0.3, abs=0.1)


def test_full_frames_and_more_colors_and_the_reference_take_longer():
    def estimate(height=90, **given):
        size = measure(VIDEO, frame_height=None, thumbnail_height=height)
        return estimate_clustering_s(size, **{**CLUSTERING, **given})

    # 10 ms a full frame of 1080p; 4 s with scikit-learn.
    assert estimate(None) == pytest.approx(400 * 0.0109, rel=0.05)
    assert estimate(None, engine="sklearn") == pytest.approx(400 * 4.2, rel=0.05)
    assert estimate(n_colors=16) == pytest.approx(2.3 * estimate(), rel=0.01)
    assert estimate(n_init=10) == pytest.approx(2 * estimate())


def test_each_attempt_asks_for_more():
    size = measure(VIDEO)
    minutes = [ask_minutes(100, attempt) for attempt in (1, 2, 3)]
    assert minutes == [14, 28, 42]
    memory = [ask_memory(DECODE_MB, 2.0736, size, attempt) for attempt in (1, 2, 3)]
    assert memory == [memory[0], 2 * memory[0], 3 * memory[0]]


def test_a_small_job_asks_for_some_minutes_even_so():
    assert ask_minutes(0, 1) == LEAST_MINUTES


def test_memory_holds_what_lies_in_the_node_s_memory():
    size = measure(VIDEO)
    # 400 JPEGs of 640x360 and 400 thumbnails of 160x90.
    assert estimate_frames_mb(size) == 38
    assert 18 <= estimate_thumbnails_mb(size) <= 21
    files = 38 + estimate_thumbnails_mb(size)
    assert ask_memory((450, 40), 2.0, size, 1) == 530 + files
    # What is too large for memory lies elsewhere.
    large = measure(VIDEO, frame_height=None, thumbnail_height=None)
    assert estimate_thumbnails_mb(large) > 2000
    assert ask_memory((450, 40), 2.0, large, 1) == 530 + 333


@pytest.mark.parametrize(
    ("share", "tagged"),
    [
        (0.0, []),
        (1.0, list(range(8))),
        (0.5, [1, 3, 5, 7]),
        (0.25, [3, 7]),
        (0.75, [1, 2, 3, 5, 6, 7]),
    ],
)
def test_shards_with_a_gpu_are_evenly_spread(share, tagged):
    assert [n for n in range(8) if has_gpu(n, share)] == tagged


def test_the_part_of_many_films_of_one_shard_is_what_was_asked_for():
    for share in (0.1, 4 / 18, 0.5, 0.9):
        tagged = [has_gpu(0, share, film) for film in range(200)]
        assert abs(sum(tagged) - 200 * share) <= 3
        # Nowhere more or fewer of them.
        for start in range(0, 200, 20):
            assert abs(sum(tagged[start : start + 20]) - 20 * share) <= 2


@pytest.mark.parametrize("film", [1, 2, 3, 77])
def test_every_film_has_its_part_wherever_it_begins(film):
    for share in (0.0, 4 / 18, 0.5, 1.0):
        tagged = [has_gpu(shard, share, film) for shard in range(180)]
        assert abs(sum(tagged) - 180 * share) <= 1
        assert tagged == [has_gpu(n, share, film) for n in range(180)]


def test_the_part_of_a_thousand_shards_is_what_was_asked_for():
    for share in (0.1, 0.3, 1 / 3, 0.9):
        tagged = sum(has_gpu(number, share) for number in range(1000))
        assert abs(tagged - 1000 * share) <= 1


@pytest.mark.parametrize("minutes", [2, 20, 120])
def test_good_shards_raise_no_doubt(minutes):
    assert doubt_shards(10, 6000, 600, minutes * 60) is None


def test_shards_too_small_or_too_large_are_told_with_what_would_be_right():
    small = doubt_shards(1000, 600_000, 600, 60)
    assert small
    assert "1000 shards is about 60 seconds" in small
    assert "shards.frames at 12000 instead of 600 it would be about 20 minutes" in small
    large = doubt_shards(2, 1200, 600, 300 * 60)
    assert large
    assert "2 shards is about 5.0 hours" in large
    assert "shards.frames at 40 instead of 600 it would be about 20 minutes" in large


def test_a_film_has_no_more_frames_than_it_has():
    doubt = doubt_shards(12, 7200, 600, 45)
    assert doubt
    assert "shards.frames at 7200 instead of 600 it would be about 9 minutes" in doubt


def test_a_short_film_of_one_shard_raises_no_doubt():
    assert doubt_shards(1, 30, 600, 5) is None
    long = doubt_shards(1, 6000, 6000, 200 * 60)
    assert long
    assert "its only shard is about 3.3 hours" in long
