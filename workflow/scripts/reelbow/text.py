"""Numbers, times and tables as people read them."""

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """Write a number of things: 1 shard, 1,200 shards, 2 merges or pictures."""
    plural = " or ".join(f"{word}s" for word in noun.split(" or "))
    return f"{number:,} {noun if number == 1 else plural}"


def format_time(time_s: float, *, decimals: int = 0, with_hours: bool = False) -> str:
    """Write a time as h:mm:ss, or m:ss below an hour, with decimals of a second."""
    whole, part = divmod(round(time_s * 10**decimals), 10**decimals)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours or with_hours else f"{minutes}"
    return f"{clock}:{seconds:02}" + (f".{part:0{decimals}}" if decimals else "")


def align(rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """Write rows as lines of columns, all but the first to the right if they are so."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    place = str.rjust if right else str.ljust
    return [
        "  ".join([row[0].ljust(widths[0]), *map(place, row[1:], widths[1:])])
        for row in rows
    ]
