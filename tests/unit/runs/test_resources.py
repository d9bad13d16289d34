import math

import pytest

from reelbow.runs.config import check_config
from reelbow.runs.resources import (
    LARGEST_SHEET,
    NEEDS,
    SHEET_MB,
    Size,
    doubt_shards,
    estimate_files_mb,
    estimate_mb,
    estimate_minutes,
    estimate_s,
    has_gpu,
    measure_barcode,
    measure_sensor,
    measure_shard,
)
from reelbow.shards.names import STAGES
from reelbow.shards.previews import MAX_PIXELS

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


def configure(downsample=90, mode="interval", previews=None, **cluster):
    return {
        "sampling": {"mode": mode},
        "downsample": {"height": downsample},
        "previews": {"height": previews},
        "cluster": {"n_colors": 8, "n_init": 5, "cpu_engine": "numba", "accents": 0}
        | cluster,
        "barcodes": {"height": 300, "width": None, "shape": "line", "kinds": []},
        "posters": {},
    }


def measure(plan, shard="00000", tarball_bytes=0, **given):
    return measure_shard(plan, shard, configure(**given), tarball_bytes)


def work_s(rule, size, **given):
    """Seconds beside the start."""
    return estimate_s(rule, size, configure(**given)) - NEEDS[rule].start_s


def test_a_shard_of_a_video_has_its_part_of_the_pictures():
    first, second = measure(VIDEO), measure(VIDEO, "00001")
    assert (first.n_pictures, first.n_frames) == (10000, 400)
    assert (second.n_pictures, second.n_frames) == (5000, 200)
    assert first.source == pytest.approx(2.0736)
    assert first.thumbnail == pytest.approx(160 * 90 / 1e6)


def test_keyframes_are_decoded_alone():
    assert measure(VIDEO, mode="keyframes").n_pictures == 400


def test_nothing_is_made_larger():
    size = measure(VIDEO, downsample=3000)
    assert size.thumbnail == pytest.approx(2.0736)
    assert measure(VIDEO, downsample=None) == size


def test_frames_of_a_tarball_follow_from_its_bytes():
    size = measure(TARBALLS, tarball_bytes=20_000_000)
    assert (size.n_pictures, size.n_frames) == (0, 200)
    assert size.source == 1


def test_a_tarball_of_several_sizes_has_a_size_too():
    several = {**TARBALLS, "width": None, "height": None}
    size = measure(several, tarball_bytes=12_000_000)
    assert size.n_frames == pytest.approx(10)
    one = measure(TARBALLS, tarball_bytes=12_000_000)
    assert work_s("downsample_frames", size) == pytest.approx(
        work_s("downsample_frames", one)
    )


def test_ten_minutes_of_1080p_take_about_what_was_measured():
    whole = measure({**VIDEO, "shards": {"00000": {"n_frames": 600}}})
    # 15,000 pictures at 2.9 ms, and 600 averages at 2.9 ms.
    assert work_s("downsample_frames", whole) == pytest.approx(45.3, abs=1)
    # As JPEGs they are decoded once more.
    assert work_s("extract_frames", whole) == work_s("downsample_frames", whole)
    # 600 thumbnails at 0.5 ms.
    assert work_s("cluster_shard", whole) == pytest.approx(0.3, abs=0.1)


def test_full_frames_and_more_colors_and_the_reference_take_longer():
    def estimate(height=90, **given):
        how = {"downsample": height, **given}
        return work_s("cluster_shard", measure(TARBALLS, "00000", 10**8, **how), **how)

    # 5 ms a full frame of a megapixel, and 3 to decode it; 2 s with scikit-learn.
    assert estimate(None) == pytest.approx(1000 * 0.0083, rel=0.05)
    assert estimate(None, cpu_engine="sklearn") == pytest.approx(1000 * 2.0, rel=0.05)
    assert estimate(n_colors=16) == pytest.approx(2.3 * estimate(), rel=0.01)
    # The number is chosen, too: as many seconds as of the most.
    auto = estimate(n_colors="auto", auto_colors=[1, 16])
    assert auto == estimate(n_colors=16)
    assert estimate(n_init=10) == pytest.approx(2 * estimate())
    assert estimate(accents=2) == pytest.approx(1.5 * estimate(), rel=0.1)


def test_at_full_size_frames_are_decoded_once():
    size = measure(VIDEO, downsample=None)
    assert work_s("downsample_frames", size, downsample=None) == 0


def test_a_job_asks_for_some_minutes_and_for_several_times_its_work():
    assert estimate_minutes("cluster_shard", 0) == 5
    assert estimate_minutes("cluster_shard", 100) == 14


@pytest.mark.parametrize("rule", NEEDS)
def test_every_job_asks_for_something_before_there_is_a_plan(rule):
    assert estimate_mb(rule, Size()) == NEEDS[rule].mb
    assert estimate_s(rule, Size(), configure()) == NEEDS[rule].start_s


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("megapixels", "used_mb"),
    # As measured: films of 1080p, 2160p of 10 bits, and 4320p; photographs.
    [(2.1, 290), (8.3, 614), (33.2, 526)],
)
def test_memory_is_about_twice_what_the_picture_takes(stage, megapixels, used_mb):
    # The two Snakemakes that are around it on a cluster take 270 MB.
    assert estimate_mb(stage, Size(1, source=megapixels)) > 1.7 * used_mb


def test_memory_holds_what_lies_in_the_node_s_memory():
    size = measure(VIDEO)
    # 400 thumbnails of 160x90.
    files_mb = estimate_files_mb("downsample_frames", size)
    assert 18 <= files_mb <= 21
    assert estimate_files_mb("cluster_shard", size) == 0
    without = estimate_mb("cluster_shard", Size(source=size.source))
    assert estimate_mb("cluster_shard", size) == without + files_mb
    # What is too large for memory lies elsewhere.
    large = measure(VIDEO, downsample=None)
    assert estimate_files_mb("downsample_frames", large) > 2000
    assert estimate_mb("cluster_shard", large) == without


@pytest.mark.parametrize("rows", [90, None])
def test_previews_take_memory_and_time_where_pictures_are_read(rows):
    without, with_ = (
        measure(VIDEO, downsample=rows, previews=height) for height in (None, 72)
    )
    # 400 previews of 128x72.
    assert with_.previews == pytest.approx(400 * 128 * 72 / 1e6)
    reading = "downsample_frames" if rows else "cluster_shard"
    for stage in STAGES:
        assert 25 <= estimate_mb(stage, with_) - estimate_mb(stage, without) <= 35
        more_s = work_s(stage, with_, downsample=rows) - work_s(
            stage, without, downsample=rows
        )
        assert more_s == pytest.approx(
            400 * 0.07e-3 if stage == reading else 0, rel=0.3
        )


def test_a_sheet_of_previews_is_never_larger_than_it_may_be():
    many = {**VIDEO, "shards": {"00000": {"n_frames": 10**6}}}
    rule, sizes = "downsample_frames", [measure(many), measure(many, previews=72)]
    without, with_ = (estimate_mb(rule, size) for size in sizes)
    assert pytest.approx(MAX_PIXELS / 1e6, rel=0.03) == LARGEST_SHEET
    assert with_ - without == SHEET_MB * LARGEST_SHEET
    # Made of thumbnails, which are smaller.
    assert measure(VIDEO, downsample=30, previews=72).previews == pytest.approx(
        400 * 30 * 30 * 16 / 9 / 1e6
    )


def test_a_large_barcode_is_a_large_picture():
    assert measure_barcode(configure()).source == pytest.approx(9.83, abs=0.01)


def test_a_wide_barcode_takes_time_by_its_columns_and_no_more_memory():
    usual, config = measure_barcode(configure(), 10**6), configure()
    config["barcodes"] |= {"kinds": ["mean", "stacked"], "width": "frames"}
    assert usual.n_columns == 0
    wide, rule = measure_barcode(config, 10**6), "render_barcodes"
    assert estimate_mb(rule, wide) == estimate_mb(rule, usual)
    more_s = estimate_s(rule, wide, config) - NEEDS[rule].start_s
    assert more_s == pytest.approx(2 * 60)
    config["barcodes"]["width"] = 50_000
    assert measure_barcode(config, 10**6).n_columns == 50_000


def test_a_contact_sheet_asks_for_its_pixels():
    config = configure()
    config["barcodes"]["width"] = 12_000
    size = measure_barcode(config)
    # 96 megapixels took 709 MiB, and 1,035 with its figures.
    assert size.contact == pytest.approx(96)
    assert estimate_mb("render_contact", size) == 1000 + 8 * 96
    assert measure_barcode(configure()).contact == pytest.approx(2000**2 * 2 / 3e6)


def test_posters_ask_for_the_memory_of_the_largest_and_the_time_of_all():
    posters = {"a": {"size": "A1"}, "b": {"size": "85mm", "formats": ["png", "pdf"]}}
    filled = check_config({"posters": posters})["posters"]
    size = measure_barcode({**configure(), "posters": filled})
    # 9,933 x 7,016, and at most a square of 1,004 twice.
    assert size.poster == pytest.approx(69.7, abs=0.1)
    assert size.posters == pytest.approx(69.7 + 2 * 1.0, abs=0.1)
    assert estimate_mb("render_posters", size) == 1000 + math.ceil(8 * size.poster)
    assert work_s("render_posters", size) == pytest.approx(7.17, abs=0.01)


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


@pytest.mark.parametrize("film", [0, 1, 2, 3, 77])
def test_every_film_has_its_part_wherever_it_begins(film):
    for share in (0.0, 0.1, 4 / 18, 0.3, 1 / 3, 0.5, 0.9, 1.0):
        tagged = sum(has_gpu(shard, share, film) for shard in range(1000))
        assert abs(tagged - 1000 * share) <= 1


@pytest.mark.parametrize("minutes", [2, 20, 120])
def test_good_shards_raise_no_doubt(minutes):
    assert doubt_shards(10, 6000, 600, minutes * 60) is None


def test_shards_too_small_or_too_large_are_told_with_what_would_be_right():
    assert doubt_shards(1000, 600_000, 600, 60) == (
        "each of its shards (1,000) takes about 1.0 minutes, and a job on a cluster "
        "should take 10 to 60; with shards.frames at 12000 instead of 600 it would "
        "take about 20.0"
    )
    large = doubt_shards(2, 1200, 600, 300 * 60)
    assert "shards (2) takes about 300.0 minutes" in large
    assert "shards.frames at 40 instead of 600 it would take about 20" in large


def test_a_film_has_no_more_frames_than_it_has():
    assert "shards.frames at 7200 instead of 600" in doubt_shards(12, 7200, 600, 45)


def test_a_short_film_of_one_shard_raises_no_doubt():
    assert doubt_shards(1, 30, 600, 5) is None
    assert "shards (1) takes about 200.0 minutes" in doubt_shards(
        1, 6000, 6000, 200 * 60
    )


def test_a_mosaic_asks_for_its_tiles_and_their_comparison_with_its_cells():
    size = Size(n_tiles=10_000_000, n_cells=10_000, mosaic=64)
    assert estimate_mb("assign_tiles", size) == 1000 + 1260
    assert estimate_mb("render_mosaic", size) == 1000 + 40
    assert work_s("assign_tiles", size) == pytest.approx(300)
    detailed = size._replace(n_views=10)
    assert estimate_mb("assign_tiles", detailed) == 1000 + 4500
    assert work_s("assign_tiles", detailed) == pytest.approx(3000)
    assert work_s("render_mosaic", size) == pytest.approx(32 + 5000)


def test_hot_pixels_ask_for_all_pixels_of_a_film_and_each_of_its_pictures():
    size = measure(TARBALLS, tarball_bytes=20_000_000)
    assert estimate_mb("sum_pixels", size) - estimate_mb("score_cuts", size) == 30
    assert work_s("sum_pixels", size) == pytest.approx(1.4)
    film = measure_barcode(configure())._replace(sensor=measure_sensor(TARBALLS))
    assert film.sensor == 1
    # Not for those of a barcode.
    assert estimate_mb("find_defects", film) == 700 + 55
    assert measure_sensor(None) == measure_sensor({"error": "gone"}) == 0
