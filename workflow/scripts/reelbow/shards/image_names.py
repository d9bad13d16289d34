"""Names of image files: which of them are read, their order, and how they are told."""

import importlib.util
import re
from collections.abc import Iterable
from pathlib import PurePosixPath


def _list_suffixes(*names: str) -> frozenset[str]:
    return frozenset(f".{name}" for each in names for name in each.split())


IMAGE_SUFFIXES = _list_suffixes(
    "jpg jpeg jpe jfif png webp tif tiff bmp ppm pgm pbm pnm gif avif heic heif",
    "hif jp2 j2k jpf jpx j2c jpc tga",
)

# Read where the package of this module is installed (uv sync --extra photos).
JXL_SUFFIXES, JXL_MODULE = _list_suffixes("jxl"), "pillow_jxl"
RAW_SUFFIXES, RAW_MODULE = (
    _list_suffixes(
        "raw dng cr2 cr3 crw nef nrw arw sr2 srf orf rw2 raf pef srw x3f 3fr iiq rwl",
        "kdc dcr mrw erf mos",
    ),
    "rawpy",
)

# Pictures that are told as missing, since they are not read.
UNREAD_SUFFIXES = _list_suffixes(
    "exr dpx cin hdr pfm jxr psd psb xcf kra svg eps ico icns pcx sgi qoi dds fits"
)
PICTURE_SUFFIXES = IMAGE_SUFFIXES | JXL_SUFFIXES | RAW_SUFFIXES | UNREAD_SUFFIXES

# Folders of what macOS, and servers' indexes of thumbnails, leave beside pictures.
LITTER_FOLDERS = frozenset({"__MACOSX", ".AppleDouble", "@eaDir", ".Trashes"})

# Of longer names the end is shown, of longer notes the beginning; as an array, every
# name of a shard takes as much memory as the longest.
MAX_TEXT = 500

# Ends of lines and other controls, bytes that are no text, and what no XML may have.
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def natural_key(name: str) -> list[tuple[int, int, str, str]]:
    """Sort key that puts frame2 before frame10."""
    # Python refuses to make an int of very many digits; without leading zeros the
    # longer number is the larger one.
    return [
        (0, len(part.lstrip("0")), part.lstrip("0"), part)
        if part.isdigit()
        else (1, 0, part, "")
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


def choose_images(names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Choose the pictures among files.

    A camera's own format often stands beside a JPEG of the same picture: then that is
    read.

    Returns
    -------
    The names of those that are read; and of those that are not, why
    """
    found = [(name, *split_name(name)) for name in names]
    images = [name for name, _, suffix in found if suffix in IMAGE_SUFFIXES]
    keys = {split_name(name)[0] for name in images}
    others = [
        (name, suffix)
        for name, key, suffix in found
        if key not in keys and suffix in PICTURE_SUFFIXES
    ]
    reasons = {
        name: reason for name, suffix in others if (reason := _find_want(suffix))
    }
    return [*images, *(name for name, _ in others if name not in reasons)], reasons


def _find_want(suffix: str) -> str | None:
    """Say what is missing for pictures of a kind to be read; None: nothing."""
    for suffixes, module in [(JXL_SUFFIXES, JXL_MODULE), (RAW_SUFFIXES, RAW_MODULE)]:
        if suffix in suffixes:
            if importlib.util.find_spec(module):
                return None
            return (
                f"pictures of the kind {suffix} are read with the extra photos only; "
                "install it (uv sync --extra photos), or save it as PNG, TIFF or JPEG"
            )
    return f"pictures of the kind {suffix} are not read; save it as PNG, TIFF or JPEG"


def is_litter(name: str) -> bool:
    """Whether a file is what a system left there for itself."""
    path = PurePosixPath(name)
    return path.name.startswith("._") or not LITTER_FOLDERS.isdisjoint(path.parts)


def split_name(name: str) -> tuple[str, str]:
    """Split a file's name into its key and its suffix, in lower case."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix), suffix.lower()


def show_name(text: str) -> str:
    """Make a file's name or note one line that can be stored, whatever its bytes."""
    if len(text) > MAX_TEXT:
        text = "\N{HORIZONTAL ELLIPSIS}" + text[1 - MAX_TEXT :]
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)
