"""Numbers, times and tables as people read them."""

import re
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the beginning of a formula, also behind a tab, or as wide
# as letters of Chinese.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_UNITS = ((3600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def count(number: int, noun: str) -> str:
    """Write a number of things: 1 shard, 1,200 shards, 2 merges or pictures."""
    plural = " or ".join(f"{word}s" for word in noun.split(" or "))
    return f"{number:,} {noun if number == 1 else plural}"


def clean_text(text: str) -> str:
    """Bring a text to one line, without what no XML may have, such as controls."""
    return " ".join(
        re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", " ", text).split()
    )


def guard_formula(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def shorten(value: object) -> str:
    """Write what a sentence quotes, the beginning of it if it is long."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def tell_error(error: Exception) -> str:
    """Tell an error of what a file holds in one short line that can be shown."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(each if each.isprintable() else "\ufffd" for each in text)[:200]


def format_time(time_s: float, *, decimals: int = 0, with_hours: bool = False) -> str:
    """Write a time as h:mm:ss, or m:ss below an hour, with decimals of a second."""
    whole, part = divmod(round(time_s * 10**decimals), 10**decimals)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours or with_hours else f"{minutes}"
    return f"{clock}:{seconds:02}" + (f".{part:0{decimals}}" if decimals else "")


def write_cue_time(ms: int) -> str:
    """Write a time as WebVTT does, as 00:00:01.000."""
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def format_span(start_s: float | None, end_s: float | None) -> str:
    """Write a stretch of a film as `from 0:05 to 1:02:03.5`; nothing if it is all."""
    ends = [("from", start_s or None), ("to", end_s)]
    return " ".join(
        f"{word} {format_moment(time_s)}" for word, time_s in ends if time_s is not None
    )


def format_moment(time_s: float) -> str:
    """Write a time as `1:02:03.5`, to a millisecond as far as there is anything."""
    return format_time(time_s, decimals=3).rstrip("0").rstrip(".")


def format_every(sampling: str, every: float) -> str:
    """Write how often one is taken, as `every 2 seconds` or `every 3rd keyframe`."""
    if sampling == "interval":
        unit_s, unit = next(
            ((s, name) for s, name in _UNITS if every % s == 0), (1.0, "second")
        )
        number = every / unit_s
        return f"every {unit if number == 1 else f'{number:g} {unit}s'}"
    noun = sampling.removesuffix("s")
    return f"every {noun if every == 1 else f'{_ordinal(round(every))} {noun}'}"


def _ordinal(number: int) -> str:
    if number % 100 not in (11, 12, 13):
        return f"{number:,}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}th"


def join_words(words: Iterable[str]) -> str:
    """Join words as `a, b and c`."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def align(rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """Write rows as lines of columns, all but the first to the right if they are so."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    place = str.rjust if right else str.ljust
    return [
        "  ".join([row[0].ljust(widths[0]), *map(place, row[1:], widths[1:])])
        for row in rows
    ]
