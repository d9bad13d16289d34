"""Damages whatever is read, and sees that every case ends as it should.

Sources (films, tarballs, images, photos, sketches), sheets, Reelbow's own files
(results), and requests to the server of a results folder. A case is a seed file, some
damage to it, and the arguments of what reads it; all three follow from kind, seed and
case number. It goes through the real functions in a worker process, which may take only
so much memory and time, and must end in one of two ways:

- a result, of sources one whose frames and skipped pictures add up to what was planned;
- a `ReelbowError` of one sentence that names the file; of a request a status of 4xx.

Anything else is a failure, and ``--kinds K --seed S --case N`` runs that one again. It
is the same file wherever FFmpeg and the real films (of ../shared/data) are the same.
"""

import argparse
import bz2
import collections
import faulthandler
import gzip
import importlib.util
import io
import json
import lzma
import os
import random
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import hostile_requests
from backports import zstd

HERE = Path(__file__).resolve()
HELPERS, ROOT = HERE.parents[1] / "helpers", HERE.parents[2]
REAL = ROOT.parent / "shared" / "data"
SCRIPTS = ROOT / "workflow" / "scripts"

KINDS = ("films", "tarballs", "images", "photos", "sketches")
KINDS += ("sheets", "results", "requests")
SUCCESSES = ("result", "result, some skipped", "refused")

MEMORY_BYTES = 1 << 30  # that a worker may take beyond what its imports take
# That a case may come to hold: of the pictures below some twenty copies.
RESIDENT_BYTES = 400 << 20
MAX_PIXELS = 1_000_000
# Of a plan with more shards, as broken timestamps make them, some are run.
SHARDS_RUN = 6


class Seed(NamedTuple):
    """A whole file to be damaged."""

    name: str
    data: bytes


class Case(NamedTuple):
    """A damaged file and how it is to be read."""

    name: str  # its seed's
    data: bytes
    how: dict[str, Any]


class Outcome(NamedTuple):
    """How a case ended."""

    kind: str
    seed: int
    case: int
    name: str
    outcome: str
    detail: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.outcome in SUCCESSES


# --- seed files ----------------------------------------------------------------------


def make_seeds(kind: str, folder: Path, *, real: bool) -> list[Seed]:
    """Make the whole files of a kind, and add small real ones if there are any."""
    makers = {
        "films": make_films,
        "tarballs": make_tarballs,
        "images": make_images,
        "photos": make_photos,
        "sketches": make_sketches,
        "sheets": make_sheets,
        "results": make_results,
        "requests": hostile_requests.make_requests,
    }
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(makers[kind](folder))
    if real:
        seeds.extend(_find_real(kind))
    return seeds


def _find_real(kind: str) -> Iterator[Seed]:
    if kind == "films" and REAL.exists():
        for path in sorted([*REAL.glob("*.mp4"), *REAL.glob("*.webm")]):
            if path.stat().st_size < 50_000:
                yield Seed(path.name, path.read_bytes())
    if kind == "images" and (REAL / "photos").exists():
        for path in sorted((REAL / "photos").rglob("*.*")):
            if path.suffix in (".jpg", ".png") and path.stat().st_size < 300_000:
                yield Seed(path.name, path.read_bytes())


def make_films(folder: Path) -> Iterator[Seed]:
    import av

    from films import numbered_film

    os.environ["SVT_LOG"] = "1"  # errors only

    x264 = {"sc_threshold": "0", "preset": "fast", "x264-params": "sliced-threads=0"}
    short = {"gop": 8, "bframes": 2}
    recipes: dict[str, dict[str, Any]] = {
        "h264.mp4": {"options": x264, **short},
        "h264_vfr.mp4": {"options": x264, "pts": [i * i * 9 for i in range(20)]},
        "h264.mkv": {"options": x264, **short},
        "h264.ts": {"options": x264, **short},
        "mpeg2.ts": {"codec": "mpeg2video", **short},
        "mpeg2.mpg": {"codec": "mpeg2video", "rate": 25, **short},
        "vp9.webm": {"codec": "libvpx-vp9", "gop": 8, "options": {"cpu-used": "8"}},
        "vp8.webm": {"codec": "libvpx", "gop": 8, "options": {"cpu-used": "8"}},
        "mpeg4.avi": {"codec": "mpeg4", "gop": 8},
        "mjpeg.mov": {
            "codec": "mjpeg",
            "pix_fmt": "yuvj420p",
            "matrix": "bt601",
            "color_range": "full",
        },
        "hevc.mp4": {
            "codec": "libx265",
            "pix_fmt": "yuv420p10le",
            "options": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"},
            **short,
        },
        "av1.mp4": {"codec": "libsvtav1", "gop": 8, "options": {"preset": "12"}},
        "ffv1.mkv": {"codec": "ffv1", "pix_fmt": "bgr0"},
        "h264.flv": {"options": x264, "gop": 8, "bframes": 0},
    }
    for name, recipe in recipes.items():
        if recipe.get("codec", "libx264") not in av.codecs_available:
            continue
        # x265 corrupts its own memory at 48x32.
        size = (64, 64) if name == "hevc.mp4" else (48, 32)
        path = numbered_film(folder / name, 20, size=size, **recipe)
        yield Seed(name, path.read_bytes())


def make_images(_: Path) -> Iterator[Seed]:
    import numpy as np
    import pillow_heif
    from PIL import Image

    y, x = np.mgrid[:40, :56]
    pixels = np.stack([x * 4, y * 5, (x * y) % 256], axis=2).astype(np.uint8)
    picture = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Reelbow"
    modes = {"gray": "L", "palette": "P", "alpha": "RGBA", "cmyk": "CMYK", "bits": "1"}
    forms = {name: picture.convert(mode) for name, mode in modes.items()}
    forms["rgb"] = picture
    forms["deep"] = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    recipes: list[tuple[str, str, dict[str, Any]]] = [
        ("rgb", "jpg", {"quality": 85}),
        ("rgb", "jpg", {"exif": exif.tobytes()}),
        ("rgb", "jpg", {"progressive": True}),
        ("gray", "jpg", {}),
        ("cmyk", "jpg", {}),
        ("rgb", "png", {}),
        ("rgb", "png", {"exif": exif.tobytes()}),
        ("palette", "png", {}),
        ("alpha", "png", {}),
        ("deep", "png", {}),
        ("rgb", "webp", {}),
        ("alpha", "webp", {"lossless": True, "exif": exif.tobytes()}),
        ("rgb", "tif", {}),
        ("rgb", "tif", {"compression": "tiff_lzw", "exif": exif}),
        ("rgb", "tif", {"compression": "jpeg"}),
        ("rgb", "tif", {"compression": "tiff_adobe_deflate"}),
        ("bits", "tif", {"compression": "group4"}),
        ("deep", "tif", {}),
        ("rgb", "tif", {"save_all": True, "append_images": [picture]}),
        ("rgb", "gif", {}),
        ("rgb", "avif", {}),
        ("rgb", "jp2", {}),
        ("rgb", "heif", {}),
        ("rgb", "tga", {}),
        ("rgb", "bmp", {}),
        ("palette", "bmp", {}),
        ("rgb", "ppm", {}),
    ]
    formats = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}
    pillow_heif.register_heif_opener()
    for number, (form, suffix, options) in enumerate(recipes):
        stream = io.BytesIO()
        forms[form].save(stream, formats.get(suffix, suffix.upper()), **options)
        yield Seed(f"{number:02d}_{form}.{suffix}", stream.getvalue())


def make_tarballs(folder: Path) -> Iterator[Seed]:
    pictures = [s.data for s in make_images(folder) if s.name.endswith("rgb.jpg")]
    bare = {f"scan {i}.jpg": pictures[i % len(pictures)] for i in range(6)}
    deep = {"a" * 90 + "/" + "b" * 90 + f"/{i}.jpg": pictures[0] for i in range(3)}
    webdataset: dict[str, bytes] = {}
    for i in range(5):
        about: dict[str, Any] = {"film": "x", "frame": i, "time_s": i / 24}
        if i == 3:
            about["reason"] = "the file has no picture of this time"
        else:
            webdataset[f"{i:08d}.jpg"] = pictures[0]
        webdataset[f"{i:08d}.json"] = json.dumps(about).encode()
    plain = pack(bare)
    yield Seed("plain.tar", plain)
    yield Seed("gnu_long.tar", pack(deep, tarfile.GNU_FORMAT))
    yield Seed("pax_long.tar", pack(deep, tarfile.PAX_FORMAT))
    yield Seed("webdataset.tar", pack(webdataset))
    other = pack({f"more {i}.jpg": pictures[0] for i in range(3)})
    yield Seed("joined.tar", plain + other)
    yield Seed("plain.tar.gz", gzip.compress(plain, mtime=0))
    yield Seed("plain.tar.xz", lzma.compress(plain))
    yield Seed("plain.tar.bz2", bz2.compress(plain))
    yield Seed("plain.tar.zst", zstd.compress(plain))


def make_photos(folder: Path) -> Iterator[Seed]:
    import numpy as np
    from PIL import Image

    from photos import make_dng, make_photo

    own = {"DateTimeOriginal": "2024:05:06 07:08:09", "SubsecTimeOriginal": "25"}
    own["OffsetTimeOriginal"] = "+02:00"
    forms = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP"}
    if importlib.util.find_spec("pillow_jxl"):
        import pillow_jxl  # noqa: F401

        forms["jxl"] = "JXL"
    photos = {
        f"{suffix}.{suffix}": make_photo(
            form, color=(99, 9, 9), own=own, Make="Reelbow"
        )
        for suffix, form in forms.items()
    }
    if importlib.util.find_spec("rawpy"):
        sensor = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 21
        photos["raw.dng"] = make_dng(sensor)
    yield from (Seed(name, data) for name, data in photos.items())
    exif = Image.Exif()
    exif[0x8769] = {0x9003: "2024:05:06 07:08:10"}
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "JPEG", exif=exif.tobytes())
    for way in ("STORED", "DEFLATED", "BZIP2", "LZMA"):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w", getattr(zipfile, f"ZIP_{way}")) as archive:
            for i in range(3):
                archive.writestr(f"Urlaub/{i} ü.jpg", stream.getvalue())
            for name, data in photos.items():
                archive.writestr(name, data)
        yield Seed(f"{way.lower()}.zip", zipped.getvalue())


def make_sketches(folder: Path) -> Iterator[Seed]:
    import pickle

    import numpy as np

    from sketches import STEPS, STROKES, write_ndjson, write_npz, write_pickle

    steps = np.array(STEPS, np.int16)
    yield _read_seed(write_npz(folder / "a.npz", train=[steps] * 9, test=[STEPS]))
    for protocol in (2, 4):
        drawings = np.empty(5, object)
        drawings[:] = [steps] * 5
        pickled = pickle.dumps(drawings, protocol)
        yield _read_seed(write_pickle(folder / f"{protocol}.npz", pickled, 5))
    timed = [[*stroke, [0, 9]] for stroke in STROKES]
    about = {"word": "cat", "key_id": "501", "recognized": True}
    yield _read_seed(write_ndjson(folder / "plain.ndjson", *[STROKES] * 6, **about))
    yield _read_seed(write_ndjson(folder / "raw.ndjson", *[timed] * 4))


def make_sheets(folder: Path) -> Iterator[Seed]:
    header = "film\tsource\ttitle\tstart_s\tend_s\tfps\tstream\tcrop\tdirector\n"
    rows = "a\ta.mp4\tA & <b>\t1:02:03\t4000.5\t\t0\tnone\tÖ\n\n# b\n"
    rows += 'c\tscans.tar\t"say ""hi"""\t\t\t24\t\t8:8:0:0\t"=1+1\nmore"\n'
    text = header + rows
    commas = 'film,source,fps,note\na,a.mp4,,x\nb,scans.tar,12.5,"y, z"\n'
    yield Seed("films.tsv", text.encode())
    yield Seed("excel.txt", text.encode("utf-16"))
    yield Seed("old.tsv", text.encode("cp1252"))
    yield Seed("films.csv", commas.encode("utf-8-sig"))
    semicolons = commas.replace(",", ";").replace("12.5", "12,5")
    yield Seed("german.csv", semicolons.replace("\n", "\r\n").encode())


def make_results(folder: Path) -> Iterator[Seed]:
    import numpy as np

    from chain import run_chain
    from corpora import index, make_corpus
    from films import numbered_film
    from reelbow.analysis.cut_scores import CutScores
    from reelbow.mosaic.features import N_FEATURES, N_VIEWS
    from reelbow.mosaic.tiles import save_tiles
    from reelbow.shards import previews

    film = numbered_film(folder / "a.mp4", 20, size=(48, 32))
    run_chain(film, folder, every=0.25, height=16)
    for name in ("plan.json", "thumbnails.npz", "palettes.sqlite"):
        yield _read_seed(folder / name)
    path = folder / "previews.jpg"
    # With sheets behind it, as large shards have.
    with (
        patch.multiple(previews, MAX_PIXELS=3 * 16 * 32, FULL_PIXELS=2 * 16 * 32),
        previews.PreviewWriter(path, height=16, quality=50) as writer,
    ):
        for frame in (0, 1, 2, 5):
            writer.add(np.full((32, 48, 3), 40 * frame, np.uint8), frame)
    yield _read_seed(path)
    small = np.zeros((4, 4, 3), np.uint8)
    scores = np.zeros(3, np.float32)
    times_s = np.arange(3.0)
    CutScores(np.arange(3), times_s, scores, small, small, 3).save(folder / "cuts.npz")
    yield _read_seed(folder / "cuts.npz")
    features = np.zeros((3, N_VIEWS, N_FEATURES), np.uint8)
    save_tiles(folder / "tiles.npz", np.arange(3), features)
    yield _read_seed(folder / "tiles.npz")
    database = make_corpus(folder / "corpus", {"a": (12, 2), "b": (30, 1)})
    index(database)
    yield _read_seed(database.with_name("colors.sqlite"))


def _read_seed(path: Path) -> Seed:
    return Seed(path.name, path.read_bytes())


def pack(files: dict[str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """Pack files into a tarball."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue().rstrip(b"\0") + bytes(2048)


# --- damage --------------------------------------------------------------------------

EXTREMES = (0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 1 << 24, 1 << 28)
EXTREMES += (0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFE, 0xFFFFFFFF)


def damage(data: bytes, others: list[Seed], rng: random.Random) -> bytes:
    """Damage a file once or several times, anywhere or in one part of it."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        low, high = rng.choice(_find_parts(data))
        if high - low < 8:
            low, high = 0, len(data)
        if high - low < 8:
            return data
        way = rng.choice(WAYS)
        data = data[:low] + way(data[low:high], others, rng) + data[high:]
    return data


def _find_parts(data: bytes) -> list[tuple[int, int]]:
    """Find the parts worth damaging: the whole, the start, the end, an MP4's boxes."""
    parts = [(0, len(data))] * 2 + [(0, 128), (len(data) - 256, len(data))]
    for name in (b"moov", b"stbl", b"stsd", b"stts", b"ctts", b"trun", b"elst"):
        at = data.find(name)
        if at >= 4:
            size = int.from_bytes(data[at - 4 : at], "big")
            parts += [(at - 4, min(len(data), at - 4 + size))]
    return [(max(0, low), min(len(data), high)) for low, high in parts]


def _flip(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _i in range(rng.choice((1, 2, 8, 64))):
        damaged[rng.randrange(len(data))] ^= rng.choice((1, 0x10, 0x80, 0xFF))
    return bytes(damaged)


def _overwrite(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    start, end = _choose_run(data, rng)
    run = rng.choice((bytes(end - start), b"\xff" * (end - start), None))
    return data[:start] + (run or rng.randbytes(end - start)) + data[end:]


def _cut(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _remove(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    start, end = _choose_run(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    start, end = _choose_run(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 3)) + data[end:]


def _splice(data: bytes, others: list[Seed], rng: random.Random) -> bytes:
    other = rng.choice(others).data
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _set_field(data: bytes, _: list[Seed], rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _i in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(data) - 3)
        at -= rng.choice((0, at % 4))
        struct.pack_into(rng.choice("<>") + "I", damaged, at, rng.choice(EXTREMES))
    return bytes(damaged)


def _choose_run(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    length = rng.choice((1, 4, 16, 188, 512, 4096, len(data) // 3))
    return start, min(len(data), start + length)


WAYS = (_flip, _flip, _overwrite, _cut, _remove, _repeat, _splice, _set_field)
WAYS += (_set_field,)

# Fields of a tar header, (start, length), and what a number in it may become.
TAR_FIELDS = ((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (257, 8), (345, 155))
TAR_NUMBERS = (
    b"0",
    b"00000000001",
    b"77777777777",
    b"-1",
    b"9",
    b"",
    b"\x80" + b"\0" * 7,
)
TAR_NUMBERS += (b"\x80\0\0\0\0\0\0\1\0\0\0\0", b"\xff" * 12, b"\x80" + b"\xff" * 11)
TAR_TYPES = b"0\x001234567gxLKSVNDX"


def damage_headers(data: bytes, rng: random.Random) -> bytes:
    """Damage fields of tar headers, and mostly mend their checksums."""
    damaged = bytearray(data)
    blocks = range(0, len(data) - 511, 512)
    starts = [i for i in blocks if data[i + 257 : i + 262] == b"ustar"]
    for at in rng.choices(starts, k=rng.choice((1, 1, 2, 4))) if starts else ():
        start, length = rng.choice(TAR_FIELDS)
        if length == 1:
            field = bytes([rng.choice(TAR_TYPES)])
        elif length == 12 or rng.random() < 0.3:
            field = rng.choice(TAR_NUMBERS)
        else:
            field = rng.randbytes(length)
        field = field[:length].ljust(length, b"\0")
        damaged[at + start : at + start + length] = field
        if rng.random() < 0.85:
            header = bytes(damaged[at : at + 512])
            total = sum(header[:148]) + 8 * 32 + sum(header[156:])
            damaged[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(damaged)


# Of a ZIP's headers: what they begin with, and how long they are without names.
ZIP_HEADERS = {b"PK\3\4": 30, b"PK\1\2": 46, b"PK\5\6": 22}


def damage_zip(data: bytes, others: list[Seed], rng: random.Random) -> bytes:
    """Damage headers of a ZIP, or what is packed in it."""
    if rng.random() < 0.5:
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            mark, length = rng.choice(list(ZIP_HEADERS.items()))
            places = [m.start() for m in re.finditer(re.escape(mark), data)]
            at = rng.choice(places or [0]) + rng.randrange(4, length)
            size = rng.choice((1, 2, 4))
            field = rng.choice((rng.randbytes(4), struct.pack("<I", _choose(rng))))
            damaged[at : at + size] = field[:size]
        return bytes(damaged)
    repacked = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            inside = old.read(name)
            new.writestr(name, damage(inside, others, rng))
    return repacked.getvalue()


def _choose(rng: random.Random) -> int:
    return rng.choice(EXTREMES)


# What may stand in a cell, or between two.
ODD_CELLS = (
    "=1+1",
    '"',
    "\t",
    "\n",
    ";",
    ",",
    "\0",
    "\u2028",
    "\ufeff",
    "\ud7ff",
    "\xa0",
)
ODD_CELLS += ("1e999", "-1", "1:60", "0,5", "NaN", "٣", "..", "../a", "CON", "#", "'")
ODD_CELLS += ("title", "A.mp4", "a.mp4 ", "s" * 600, "{film}", "<b>", "1" * 5000)


def damage_cells(data: bytes, rng: random.Random) -> bytes:
    """Put odd texts into cells of a sheet, or for what stands between them."""
    codec = "utf-16" if data.startswith(b"\xff\xfe") else "utf-8"
    parts = re.split("([\t\n,;])", data.decode(codec, "replace"))
    for _ in range(rng.choice((1, 1, 2, 4))):
        parts[rng.randrange(len(parts))] = rng.choice(ODD_CELLS)
    return "".join(parts).encode(codec)


PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.decompress, lambda data: gzip.compress(data, 1, mtime=0)),
    ".xz": (lzma.decompress, lambda data: lzma.compress(data, preset=0)),
    ".bz2": (bz2.decompress, bz2.compress),
    ".zst": (zstd.decompress, zstd.compress),
}


def make_case(kind: str, seed: int, case: int, seeds: list[Seed]) -> Case:
    """Make a case: the same ones of the same seeds make the same file."""
    rng = random.Random(f"{kind} {seed} {case}")
    chosen = rng.choice(seeds)
    name, data = chosen
    if kind == "films":
        data = damage(data, seeds, rng)
        mode = rng.choice(("interval", "interval", "frames", "keyframes"))
        how = {
            "mode": mode,
            "every": rng.choice((0.1, 0.25, 1) if mode == "interval" else (1, 3)),
            "start_s": rng.choice((0, 0, 0, 0.3)),
            "end_s": rng.choice((None, None, None, 0.6)),
            "per_shard": rng.choice((5, 20, 600)),
        }
    elif kind == "tarballs":
        unpack, repack = PACKED.get(Path(name).suffix, (None, None))
        inside = unpack is not None and repack is not None and rng.random() < 0.5
        data = unpack(data) if unpack and inside else data
        if rng.random() < 0.5:
            data = damage_headers(data, rng)
        else:
            data = damage(data, seeds, rng)
        data = repack(data) if repack and inside else data
        how = {}
    elif kind in ("photos", "sketches", "results"):
        is_zip = data.startswith(b"PK")
        way = damage_zip if is_zip and rng.random() < 0.7 else damage
        data = way(data, seeds, rng)
        how = {"per_shard": rng.choice((2, 600))}
        if kind == "photos":
            how["order"] = rng.choice(("name", "time"))
        if kind == "sketches":
            how |= {
                "size": rng.choice((16, 300)),
                "thickness": rng.choice((0.025, 0.3)),
            }
            how |= {"color": rng.choice(("black", "strokes")), "split": "train"}
    elif kind in ("sheets", "requests"):
        if kind == "sheets" and rng.random() < 0.7:
            data = damage_cells(data, rng)
        elif rng.random() < 0.5:
            data = damage(data, seeds, rng)
        if kind == "requests":
            data = hostile_requests.mix(data, rng)
        return Case(name, data, {})
    else:
        whole = seeds[0]
        files = {whole.name: whole.data}
        files |= {f"{i}_{name}": damage(data, seeds, rng) for i in range(4)}
        data, name, how = pack(files), f"{name}.tar", {}
    how["crop"] = rng.choice(("auto", "auto", "none", "16:16:4:4"))
    how["height"] = rng.choice((16, 90, None))
    how["mean_space"] = rng.choice(("srgb", "srgb", "linear"))
    if kind == "results":
        how = {}
    return Case(name, data, how)


# --- the worker ----------------------------------------------------------------------


def work(stdin: io.TextIOBase, stdout: io.TextIOBase) -> None:
    """Run the cases that stdin names, line by line, and tell stdout how they ended."""
    import chain  # noqa: F401 (imports count as baseline)

    base = _read_status("VmSize")
    for line in stdin:
        asked = json.loads(line)
        before = _reset_peak()
        case = asked["kind"], Path(asked["path"]), asked["how"]
        _limit_memory(base + MEMORY_BYTES)
        outcome, detail = run_case(*case)
        if outcome == "memory" and "Traceback" not in detail:
            # FFmpeg may refuse to reserve what a header claims, in a sentence; it is
            # no failure if it holds little of it where it may reserve it all.
            _limit_memory(base + 8 * MEMORY_BYTES)
            again, _ = run_case(*case)
            if again in SUCCESSES or again == outcome:
                outcome = "refused"
        grown = _read_status("VmHWM") - before
        if outcome in SUCCESSES and grown > RESIDENT_BYTES:
            outcome, detail = "memory", f"{grown >> 20} MiB held ({detail})"
        print(json.dumps([outcome, detail]), file=stdout, flush=True)


def _limit_memory(n_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, resource.RLIM_INFINITY))


def _reset_peak() -> int:
    """Let the kernel count the peak of memory anew; return what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _read_status("VmRSS")


def _read_status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) << 10


def run_case(kind: str, path: Path, how: dict[str, Any]) -> tuple[str, str]:
    """Read a file as those of its kind are read; say how it ended."""
    import traceback

    from reelbow.errors import ReelbowError

    readers = {
        "sheets": run_sheet,
        "results": run_result,
        "requests": hostile_requests.run_request,
    }
    try:
        reasons = readers.get(kind, run_stages)(path, **how)
    except ReelbowError as error:
        text = str(error)
        if not is_line(text) or str(path) not in text:
            return "not one sentence", repr(text)
        return _judge("refused", [text.replace(str(path), path.name)])
    except MemoryError:
        return "memory", traceback.format_exc(limit=-6)
    except AssertionError as error:
        if error.args:
            return "wrong result", str(error)
        return "exception", traceback.format_exc(limit=-6)
    except Exception:
        return "exception", traceback.format_exc(limit=-6)
    return _judge("result, some skipped" if reasons else "result", reasons or ["-"])


def _judge(outcome: str, reasons: list[str]) -> tuple[str, str]:
    """A reason must be one line; to be out of memory is none, for files that small."""
    for reason in reasons:
        if not reason or not is_line(reason) or len(reason) > 1000:
            return "not one sentence", repr(reason[:2000])
        if "memory" in reason.lower():
            return "memory", reason
    return outcome, reasons[0]


def is_line(text: str) -> bool:
    """Whether a text is one line that any terminal and database takes."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)


def run_stages(
    path: Path, *, crop: str, height: int | None, mean_space: str, **sampling: Any
) -> list[str]:
    """Take a file from its plan to its thumbnails; tell why pictures are missing."""
    from chain import plan_files
    from downsample_frames import downsample_frames
    from reelbow.shards.batches import ThumbnailOptions
    from reelbow.shards.plan import read_plan
    from reelbow.shards.tarballs import FrameTarball

    plan, thumbnails = path.with_name("plan"), path.with_name("thumbnails.npz")
    how = {"crop": crop, "max_pixels": MAX_PIXELS, "shards": ["00000"], **sampling}
    plan_files([path], plan, **how)
    planned = read_plan(plan)
    parts = planned["shards"]
    if len(parts) > SHARDS_RUN:
        parts = parts[: SHARDS_RUN // 2] + parts[-SHARDS_RUN // 2 :]
    shaping = ThumbnailOptions(height, planned["crop"], mean_space, MAX_PIXELS, "skip")
    reasons = []
    for part in parts:
        downsample_frames(path, plan, thumbnails, shard=part["shard"], shaping=shaping)
        numbers, skipped = check_thumbnails(thumbnails)
        first, n_frames = part.get("first_frame", 0), part["n_frames"]
        if n_frames is None:
            with FrameTarball(path) as tarball:
                n_frames = len(tarball)
        end = first + n_frames
        assert len(numbers) + len(skipped) == n_frames, (
            f"{len(numbers)} frames and {len(skipped)} skipped of {n_frames}"
        )
        assert all(first <= number < end for number in numbers), str(numbers)
        reasons += skipped
    return reasons


def check_thumbnails(path: Path) -> tuple[list[int], list[str]]:
    """Read thumbnails whole; return the numbers of the frames and why others lack."""
    from reelbow.shards.thumbnails import Thumbnails

    numbers: list[int] = []
    with Thumbnails(path) as thumbnails:
        for batch in thumbnails.batches():
            n = len(batch.frames)
            numbers += batch.frames.tolist()
            assert len(batch.pixels) == len(batch.means) == len(batch.names) == n > 0
            for values in (batch.means, batch.lumas, batch.strips):
                assert (values >= -1e-3).all(), f"{values.min()} is no level"
                assert (values <= 255 + 1e-3).all(), f"{values.max()} is no level"
        assert len(set(numbers)) == len(thumbnails), f"frames {numbers}"
        names = [name for name, _ in thumbnails.skipped]
        assert all(is_line(name) for name in names), f"names {names}"
        return numbers, [reason for _, reason in thumbnails.skipped]


def run_sheet(path: Path) -> list[str]:
    """Read a sheet; its rows add up to its films."""
    from reelbow.runs.films import read_films

    for name in ("a.mp4", "scans.tar"):
        path.with_name(name).write_bytes(b"something")
    films = read_films(str(path))
    for film in films:
        texts = (film.film, film.source, film.title, *film.own)
        assert all(is_line(text) for text in texts), str(texts)
        assert film.film.lstrip("."), film.film
        assert "/" not in film.film, film.film
    return [film.fault for film in films if film.fault]


def run_result(path: Path) -> list[str]:
    """Read one of Reelbow's own files, as later stages do."""
    from contextlib import closing

    from reelbow.analysis.cut_scores import CutScores
    from reelbow.barcode import draw_barcode
    from reelbow.database.opening import telling_damage
    from reelbow.database.search import ColorSearch
    from reelbow.mosaic.tiles import read_shard_tiles
    from reelbow.shards.plan import read_plan
    from reelbow.shards.previews import read_sheet
    from reelbow.shards.sheets import open_previews, read_cells

    match path.name:
        case "plan.json":
            read_plan(path)
        case "thumbnails.npz":
            check_thumbnails(path)
        case "cuts.npz":
            CutScores.load(path)
        case "tiles.npz":
            read_shard_tiles(path)
        case "previews.jpg":
            sheet = read_sheet(path)
            for _ in read_cells(path, sheet, range(len(sheet.frames))):
                pass
            previews = open_previews(path)
            for _ in previews.read(range(len(previews.frames))):
                pass
        case "colors.sqlite":
            database = path.parents[1] / "seeds/corpus/palettes.sqlite"
            with closing(ColorSearch.open(database, path)) as search:
                for together in (False, True):
                    search.find_frames(0x804020, radius=0.3, together=together)
        case "palettes.sqlite":
            draw_barcode(path, "stacked", height=16)
            with telling_damage(path) as connection:
                for table in ("films", "frames", "palettes", "metadata"):
                    with closing(connection.execute(f"SELECT * FROM {table}")) as rows:
                        list(rows)
        case other:
            raise AssertionError(f"nobody reads {other}")
    return []


# --- the parent ----------------------------------------------------------------------


class Worker:
    """A process that runs cases; one that dies or takes too long is replaced."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> "subprocess.Popen[bytes]":
        self._errors = (self.folder / "stderr").open("w+b")
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        return subprocess.Popen(
            [sys.executable, "-W", "error::RuntimeWarning", HERE, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **threads},
        )

    def run(self, kind: str, path: Path, how: dict[str, Any]) -> tuple[str, str]:
        """Run a case; say how it ended."""
        if self._process is None:
            self._process = self._start()
            seconds = self.seconds + 60  # for its imports
        else:
            seconds = self.seconds
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"kind": kind, "path": str(path), "how": how}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        # An answer is one short line; the worker writes it at once.
        if not select.select([process.stdout], [], [], seconds)[0]:
            process.send_signal(signal.SIGABRT)  # faulthandler tells where it is
            return f"over {self.seconds:g} s", self._bury()
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            told = self._bury()
            return f"died: {signal.Signals(-process.returncode).name}", told
        outcome, detail = json.loads(line)
        return outcome, detail

    def _bury(self) -> str:
        """End the process and read what it said last."""
        assert self._process is not None
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.close()
        return (self.folder / "stderr").read_bytes()[-2500:].decode(errors="replace")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._errors.close()
            self._process = None


def fuzz(
    kind: str,
    seed: int,
    cases: range,
    *,
    seconds: float = 20,
    real: bool = False,
    keep: Path | None = None,
) -> Iterator[Outcome]:
    """Run the cases of a kind."""
    with tempfile.TemporaryDirectory(prefix="reelbow-fuzz-") as temporary:
        folder = Path(temporary)
        seeds = make_seeds(kind, folder / "seeds", real=real)
        worker = Worker(folder, seconds)
        try:
            for number in cases:
                case = make_case(kind, seed, number, seeds)
                place = folder / "case"
                place.mkdir()
                path = place / case.name
                path.write_bytes(case.data)
                start = time.monotonic()
                outcome, detail = worker.run(kind, path, case.how)
                took = time.monotonic() - start
                told = Outcome(kind, seed, number, case.name, outcome, detail, took)
                if keep is not None and not told.good:
                    keep.mkdir(parents=True, exist_ok=True)
                    stem = f"{kind}-{seed}-{number}"
                    (keep / f"{stem}-{case.name}").write_bytes(case.data)
                    (keep / f"{stem}.json").write_text(json.dumps(case.how))
                yield told
                for left in place.iterdir():
                    left.unlink()
                place.rmdir()
        finally:
            worker.close()


def main() -> int:
    """Fuzz, print a table of outcomes and the failures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="only this one")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seconds-per-case", type=float, default=20)
    parser.add_argument("--made-only", action="store_true", help="no ../shared/data")
    parser.add_argument("--keep", type=Path, help="folder for inputs that fail")
    options = parser.parse_args()
    cases = range(options.cases)
    if options.case is not None:
        cases = range(options.case, options.case + 1)
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    took: collections.Counter[str] = collections.Counter()
    failures = []
    kinds = options.kinds.split(",")
    for kind in kinds:
        for told in fuzz(
            kind,
            options.seed,
            cases,
            seconds=options.seconds_per_case,
            real=not options.made_only,
            keep=options.keep,
        ):
            counts[kind, told.outcome] += 1
            took[kind] += told.seconds
            if options.case is not None:
                print(f"{told.name}: {told.outcome}: {told.detail}")
            if not told.good:
                failures.append(told)
                print(f"{kind} {told.case} {told.name}: {told.outcome}", flush=True)
    print(f"\nseed {options.seed}")
    print(f"{'':24}" + "".join(f"{kind:>10}" for kind in kinds))
    others = sorted({outcome for _, outcome in counts} - set(SUCCESSES))
    for outcome in (*SUCCESSES, *others):
        row = "".join(f"{counts[kind, outcome]:10}" for kind in kinds)
        print(f"{outcome:24}{row}")
    print(f"{'ms per case':24}", end="")
    print("".join(f"{1000 * took[kind] / len(cases):10.0f}" for kind in kinds))
    for told in failures:
        print(
            f"\n--kinds {told.kind} --seed {told.seed} --case {told.case} "
            f"({told.name}): {told.outcome}\n{told.detail}"
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.path[:0] = [str(SCRIPTS), str(HELPERS)]
    if "--worker" in sys.argv:
        faulthandler.enable()
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what a C library prints is no answer
        work(sys.stdin, answers)
    else:
        sys.exit(main())
