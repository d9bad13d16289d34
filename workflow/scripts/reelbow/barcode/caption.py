"""What stands below a figure's title and at its foot: what was sampled, and how."""

from pathlib import Path

from reelbow.barcode.film_record import FilmRecord
from reelbow.barcode.picture_files import (
    BANDED_KINDS,
    CONTACT_KIND,
    FIGURES_ALONE,
    MEASURES_FIGURE,
    PALETTE_KINDS,
    SHOTS_FIGURE,
    SORTED_KIND,
)
from reelbow.barcode.shot_marks import ShotMarks
from reelbow.text import count, format_every, format_span

# Of a phrase such as "a frame every second".
_KINDS = {
    MEASURES_FIGURE: "Palette and measures of {}",
    SHOTS_FIGURE: "Palette of {}, and shots",
    "mean": "Mean color of {}",
    "strip": "{}, averaged over its width",
    "dominant": "Most frequent color of {}",
    "stacked": "Palette of {}",
    "equal": "Palette of {}, every color as high",
    CONTACT_KIND: "Contact sheet of {}",
    SORTED_KIND: "Mean color of {}, sorted",
    "rarest": "Least frequent color of {}",
}
_SPACES = {
    "srgb": "sRGB",
    "linear": "linear light",
    "oklab": "OKLab",
    "cielab": "CIELAB",
}


def describe_barcode(
    record: FilmRecord, kind: str, shots: ShotMarks | None = None
) -> str:
    """Say what a barcode shows: of which frames, how many of how many, and when.

    shots : if they were looked for, how many there are
    """
    noun = "image" if record.is_of_images else "frame"
    kind_of = _KINDS.get(kind, kind + " of {}")
    span = format_span(record.start_s, record.end_s)
    subject = kind_of.format(_describe_sampling(record))
    return " · ".join(
        [
            subject[0].upper() + subject[1:],
            _count_frames(record, noun),
            *([span] if span else []),
            *_describe_left_out(record, noun),
            *([] if shots is None else [count(len(shots.lengths), "shot")]),
        ]
    )


def describe_making(
    record: FilmRecord, kind: str, order: str, smooth_s: float = 0
) -> str:
    """Say what made a barcode: source, version, crop and settings, in short.

    order : of bands, or of what is sorted
    smooth_s : seconds within which columns are blended
    """
    version = f" {record.version}" if record.version else ""
    parts = [f"source: {_name_source(record.source)}", f"Reelbow{version}"]
    if record.crop:
        parts.append(f"crop {record.crop}")
    about = record.settings
    if kind in (*PALETTE_KINDS, *FIGURES_ALONE):
        if "cluster.n_colors" in about:
            n_colors, range_from = about["cluster.n_colors"], ""
            if n_colors == "auto":
                least, n_colors = about["cluster.auto_colors"]
                range_from = f"{least} to " if least < n_colors else ""
            space = str(about.get("cluster.color_space", "srgb"))
            noun = "color" if n_colors == 1 else "colors"
            accents = about.get("cluster.accents")
            more = f" and up to {count(accents, 'accent')}" if accents else ""
            number = f"{range_from}{n_colors} {noun}{more}"
            parts.append(f"{number} in {_SPACES.get(space, space)}")
        # A page has all orders, and names none.
        if order and kind in (*BANDED_KINDS, *FIGURES_ALONE):
            parts.append(f"order {order}")
    elif kind != CONTACT_KIND and about.get("mean.space", "srgb") != "srgb":
        parts.append("averages of linear light")
    if kind == SORTED_KIND:
        parts.append(f"sorted by {order}")
    elif smooth_s:
        parts.append(f"blended within {smooth_s:g} s")
    return " · ".join(parts)


def _describe_sampling(record: FilmRecord) -> str:
    if record.sampling in ("interval", "frames", "keyframes"):
        every = format_every(record.sampling, record.every or 1)
        return f"a frame {every}" if record.sampling == "interval" else every
    # Of what an older Reelbow sampled nothing is known.
    return "every image" if record.is_of_images else "each sampled frame"


def _count_frames(record: FilmRecord, noun: str) -> str:
    n, of = _count_samples(record) - record.n_missing, record.n_pictures
    if of is not None and n > of:
        return f"{count(n, 'sample')} of {count(of, noun)}"
    if of is not None and n < of:
        return f"{n:,} of {count(of, noun)}"
    return count(n, noun)


def _describe_left_out(record: FilmRecord, noun: str) -> list[str]:
    words = []
    if record.n_missing:
        n = count(_count_samples(record), noun)
        words.append(f"{record.n_missing:,} of {n} missing")
    if record.n_black:
        words.append(f"{count(record.n_black, f'black {noun}')} left out")
    return words


def _count_samples(record: FilmRecord) -> int:
    """Count all that was sampled, there or missing, drawn or left out."""
    return len(record.frames) + record.n_black


def _name_source(source: str) -> str:
    """`a/b/film.mkv` is named film.mkv, but `a/b/*.tar` is b/*.tar."""
    path = Path(source)
    if any(sign in path.name for sign in "*?[") and path.parent.name:
        return f"{path.parent.name}/{path.name}"
    return path.name or source
