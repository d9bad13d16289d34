"""Rule downsample_frames as a function: a tarball becomes thumbnails."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import downsample_frames as script
from films import solid
from icc_profiles import gamma, gray_profile
from memory import LINUX_ONLY, little_memory
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file
from reelbow.machine.versions import describe_versions
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.pictures.image_files import (
    DecodedImage,
    decode_image,
    encode_jpeg,
)
from reelbow.shards import frames
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.plan import write_plan
from reelbow.shards.previews import PreviewOptions, read_sheet
from reelbow.shards.thumbnails import Thumbnails


def image(color: int, size: tuple[int, int] = (64, 48)) -> bytes:
    return encode_jpeg(solid(color, size), quality=95)


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def downsample(
    tarball: Path,
    *,
    height: int | None = 12,
    crop: str | None = None,
    size: tuple[int | None, int | None] = (48, 64),
    previews: Path | None = None,
    preview_options: PreviewOptions | None = None,
    **more: Any,
) -> Path:
    """Run the script; nothing but its result may be there after it."""
    plan = tarball.with_name("plan.json")
    about: dict[str, Any] = {"video": None, "shards": []}
    write_plan(about | {"height": size[0], "width": size[1]}, plan)
    thumbnails = tarball.parent / "thumbnails" / "00000.npz"
    usual = {
        "mean_space": "srgb",
        "max_pixels": MAX_PIXELS,
        "missing_frames": "skip",
    }
    shaping = ThumbnailOptions(height=height, crop=crop, **(usual | more))
    script.downsample_frames(
        tarball,
        plan,
        thumbnails,
        shard="00000",
        shaping=shaping,
        previews=previews,
        preview_options=preview_options,
    )
    assert [path.name for path in thumbnails.parent.iterdir()] == ["00000.npz"]
    return thumbnails


def rows(thumbnails: Path) -> list[tuple[int, float, str, NDArray[np.uint8]]]:
    with Thumbnails(thumbnails) as found:
        return [
            row
            for batch in found.batches()
            for row in zip(
                batch.frames.tolist(),
                batch.times_s.tolist(),
                batch.names,
                batch.pixels,
                strict=True,
            )
        ]


def skipped(thumbnails: Path) -> list[tuple[str, str]]:
    with Thumbnails(thumbnails) as found:
        return found.skipped


def is_color(pixels: NDArray[np.uint8], color: int) -> bool:
    expected = (color >> 16, color >> 8 & 0xFF, color & 0xFF)
    return bool(np.abs(pixels.astype(int) - expected).max() <= 3)


def test_a_user_s_images_are_numbered_in_natural_order(tmp_path: Path) -> None:
    files = {"b10.jpg": image(0x0000FF), "b9.jpg": image(0x00FF00), "notes.txt": b"x"}
    tarball = pack(tmp_path / "t.tar", files)
    (frame_0, time_0, name_0, pixels_0), (frame_1, _, name_1, pixels_1) = rows(
        downsample(tarball)
    )
    assert (frame_0, name_0, frame_1, name_1) == (0, "b9.jpg", 1, "b10.jpg")
    assert np.isnan(time_0)
    assert pixels_0.shape == pixels_1.shape == (12, 16, 3)
    assert is_color(pixels_0, 0x00FF00)
    assert is_color(pixels_1, 0x0000FF)


def test_thumbnails_say_what_made_them_and_of_which_tarball(tmp_path: Path) -> None:
    own = pack(tmp_path / "own.tar", {"0.jpg": image(0x808080)})
    with Thumbnails(downsample(own)) as found:
        assert found.digest == digest_file(own)
        assert found.versions == describe_versions()


def test_an_image_that_does_not_decode_is_recorded_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    whole = image(0x808080)
    files = {
        "0.jpg": whole,
        "1.jpg": b"this is no image",
        "2.jpg": whole[: len(whole) // 2],
        "3.jpg": b"",
        "4.jpg": image(0xFF0000),
    }
    thumbnails = downsample(pack(tmp_path / "t.tar", files))
    found = rows(thumbnails)
    # numbers are places in the tarball: a missing picture leaves a gap
    assert [(frame, name) for frame, _, name, _ in found] == [
        (0, "0.jpg"),
        (4, "4.jpg"),
    ]
    assert is_color(found[1][3], 0xFF0000)
    lost = skipped(thumbnails)
    assert [name for name, _ in lost] == ["1.jpg", "2.jpg", "3.jpg"]
    assert "not an image" in lost[0][1]
    assert "does not decode" in lost[1][1]


def test_a_time_beside_an_image_is_taken_and_its_frame_number_is_not(
    tmp_path: Path,
) -> None:
    about = json.dumps({"time_s": 2.5, "frame": 99}).encode()
    tarball = pack(tmp_path / "t.tar", {"a.jpg": image(0), "a.json": about})
    ((frame, time_s, _, _),) = rows(downsample(tarball))
    assert (frame, time_s) == (0, 2.5)


def test_a_time_that_no_film_has_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for i, told in enumerate([b"1e308", b"true", b"3", b"null", b"1764144000"]):
        files |= {f"{i}.jpg": image(0), f"{i}.json": b'{"time_s": %s}' % told}
    found = rows(downsample(pack(tmp_path / "t.tar", files)))
    assert [time_s for _, time_s, _, _ in found] == pytest.approx(
        [np.nan, np.nan, 3, np.nan, np.nan], nan_ok=True
    )
    assert (
        "t.tar: the time_s of 3 pictures is left out, the first of 0.jpg: 1e+308; a "
        "film's time is a number of seconds from 0 to 1000000000\n"
    ) in capsys.readouterr().err


def test_color_profiles_that_cannot_be_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for i, profile in enumerate([b"", b"garbage", gray_profile(gamma(2.2))]):
        stream = io.BytesIO()
        picture = Image.fromarray(solid(0x336699, (64, 48)))
        picture.save(stream, "PNG", icc_profile=profile or None)
        files[f"{i}.png"] = stream.getvalue()
    thumbnails = downsample(pack(tmp_path / "t.tar", files))
    assert skipped(thumbnails) == []
    for _, _, _, pixels in rows(thumbnails):
        assert (pixels == (0x33, 0x66, 0x99)).all()
    assert (
        "t.tar: the color profiles of 2 pictures are passed over, the first of 1.png: "
        "it is broken; they are read as if they had none\n"
    ) in capsys.readouterr().err


def test_what_a_profile_says_comes_to_the_thumbnails(tmp_path: Path) -> None:
    stream = io.BytesIO()
    picture = Image.new("L", (64, 48), 55)
    picture.save(stream, "PNG", icc_profile=gray_profile(gamma(1.0)))
    ((*_, pixels),) = rows(
        downsample(pack(tmp_path / "t.tar", {"0.png": stream.getvalue()}))
    )
    # Light of 55 / 255 as sRGB has it.
    assert (pixels == 128).all()


def test_height_null_keeps_the_full_size(tmp_path: Path) -> None:
    tarball = pack(tmp_path / "t.tar", {"a.jpg": image(0x112233)})
    ((_, _, _, pixels),) = rows(downsample(tarball, height=None))
    assert pixels.shape == (48, 64, 3)


def test_a_crop_holds_for_images_of_the_planned_size_only(tmp_path: Path) -> None:
    files = {"0.jpg": image(0x808080), "1.jpg": image(0x808080, (32, 24))}
    tarball = pack(tmp_path / "t.tar", files)
    found = rows(downsample(tarball, height=None, crop="64:36:0:6"))
    assert [pixels.shape for _, _, _, pixels in found] == [(36, 64, 3), (24, 32, 3)]
    found = rows(downsample(tarball, height=None, crop="64:36:0:6", size=(None, None)))
    assert [pixels.shape for _, _, _, pixels in found] == [(48, 64, 3), (24, 32, 3)]


def test_a_tarball_cut_off_leaves_nothing(tmp_path: Path) -> None:
    tarball = pack(tmp_path / "t.tar", {f"{i}.jpg": image(i) for i in range(5)})
    tarball.write_bytes(tarball.read_bytes()[:2000])
    with pytest.raises(ReelbowError, match="cut off"):
        downsample(tarball)
    assert not (tmp_path / "thumbnails").exists()


def test_a_failure_in_the_middle_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = pack(tmp_path / "t.tar", {f"{i}.jpg": image(i) for i in range(5)})
    decode = decode_image
    done = []

    def fail(data: bytes, **how: Any) -> DecodedImage:
        done.append(data)
        if len(done) == 3:
            raise MemoryError
        return decode(data, **how)

    monkeypatch.setattr(frames, "decode_image", fail)
    with pytest.raises(MemoryError):
        downsample(tarball)
    assert list((tmp_path / "thumbnails").iterdir()) == []


@LINUX_ONLY
def test_too_little_memory_for_one_picture_fails_the_shard(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(solid(0x336699, (5000, 4000))).save(stream, "WEBP", method=0)
    tarball = pack(tmp_path / "t.tar", {"a.jpg": image(5), "b.webp": stream.getvalue()})
    with little_memory(50 << 20), pytest.raises(MemoryError):
        downsample(tarball)
    assert list((tmp_path / "thumbnails").iterdir()) == []
    assert len(rows(downsample(tarball))) == 2


def test_a_tarball_of_damaged_images_only_is_a_shard_with_no_frames(
    tmp_path: Path,
) -> None:
    thumbnails = downsample(pack(tmp_path / "t.tar", {"a.jpg": b"x", "b.jpg": b"y"}))
    assert rows(thumbnails) == []
    assert [name for name, _ in skipped(thumbnails)] == ["a.jpg", "b.jpg"]


def test_averages_may_be_of_a_reduced_picture_but_only_if_asked(tmp_path):
    # Noise that a reduced scale clips otherwise; in blocks, so that little is lost.
    rng = np.random.default_rng(0)
    coarse = rng.choice(np.array([0, 255], np.uint8), (60, 80, 3))
    picture = coarse.repeat(4, axis=0).repeat(4, axis=1)
    data = encode_jpeg(picture, quality=90)
    exact = decode_image(data).picture.mean(axis=(0, 1))
    tarball = pack(tmp_path / "a.tar", {"0.jpg": data})
    means = []
    for exact_mean in (True, False):
        path = downsample(tarball, height=30, size=(240, 320), exact_mean=exact_mean)
        with Thumbnails(path) as found:
            (batch,) = found.batches()
        assert batch.strips.shape == (1, 30, 3)
        means.append(batch.means[0])
    assert means[0] == pytest.approx(exact, abs=0.1)
    assert means[1] == pytest.approx(exact, abs=3)
    assert (means[1] != means[0]).any()


def test_previews_are_of_the_frames_that_could_be_read(tmp_path):
    colors = {"0.jpg": 0x2040C0, "2.jpg": 0xC08020, "3.jpg": 0x20C060}
    files = {name: image(color) for name, color in colors.items()}
    tarball = pack(tmp_path / "t.tar", files | {"1.jpg": b"no image"})
    path = tmp_path / "previews" / "00000.jpg"
    options = PreviewOptions(height=9, quality=90)
    # Bars above and below are cut off.
    downsample(tarball, crop="64:36:0:6", previews=path, preview_options=options)
    assert [each.name for each in path.parent.iterdir()] == ["00000.jpg"]
    sheet = read_sheet(path)
    assert sheet.frames.tolist() == [0, 2, 3]
    assert (sheet.cell_width, sheet.cell_height) == (16, 9)
    with Image.open(path) as opened:
        pixels = np.array(opened.convert("RGB"))
    for cell, color in enumerate(colors.values()):
        x, y, width, height = sheet.locate(cell)
        inner = pixels[y + 2 : y + height - 2, x + 2 : x + width - 2]
        assert is_like(inner, tuple(solid(color, (1, 1))[0, 0]))


def test_a_shard_that_fails_leaves_no_previews(tmp_path):
    tarball = pack(tmp_path / "t.tar", {"0.jpg": image(0), "1.jpg": b"no image"})
    path = tmp_path / "previews" / "00000.jpg"
    how = {"previews": path, "preview_options": PreviewOptions(72, 70)}
    with pytest.raises(ReelbowError, match="missing"):
        downsample(tarball, missing_frames="fail", **how)
    assert list(path.parent.iterdir()) == []


def test_of_a_shard_of_which_nothing_can_be_read_there_is_an_empty_sheet(tmp_path):
    tarball = pack(tmp_path / "t.tar", {"a.jpg": b"x"})
    path = tmp_path / "previews" / "00000.jpg"
    downsample(tarball, previews=path, preview_options=PreviewOptions(72, 70))
    assert read_sheet(path).frames.tolist() == []


def test_previews_are_upright(tmp_path):
    picture = np.zeros((48, 96, 3), np.uint8)
    picture[:, :48] = (200, 40, 40)
    picture[:, 48:] = (40, 40, 200)
    exif = Image.Exif()
    # To be turned clockwise: its left side is the viewer's top.
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=95, exif=exif)
    tarball = pack(tmp_path / "t.tar", {"0.jpg": stream.getvalue()})
    path = tmp_path / "previews" / "00000.jpg"
    options = PreviewOptions(height=32, quality=90)
    downsample(tarball, height=40, previews=path, preview_options=options)
    sheet = read_sheet(path)
    assert (sheet.cell_width, sheet.cell_height) == (16, 32)
    with Image.open(path) as opened:
        pixels = np.array(opened.convert("RGB"))[:32, :16]
    assert is_like(pixels[2:14, 2:-2], (200, 40, 40))
    assert is_like(pixels[18:-2, 2:-2], (40, 40, 200))


def is_like(pixels: NDArray[np.uint8], color: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixels.mean(axis=(0, 1)) - color).max() < 10)
