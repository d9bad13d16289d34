"""The configuration, checked and filled in before any job starts."""

from collections.abc import Iterable, Mapping
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.runs.schemas import check_value, fill_defaults, load_schema, read_texts
from reelbow.shards.image_names import UNSHOWN

# Columns: beyond about as many, many programs cannot show a picture that has no tiles.
WIDEST_PNG = 32_768


def keep_title(
    config: Mapping[str, Any], typed: Iterable[str] | None
) -> Mapping[str, Any]:
    """Take a title of the command line as it was typed.

    Snakemake reads it as YAML, where 1984 is a number, and `Mabuse: the film` a group
    of keys; and quotes at its ends, which would say that it is a text, it takes away.

    Parameters
    ----------
    typed : what follows --config, as `title=1984`
    """
    given = [entry.partition("=") for entry in typed or ()]
    titles = [value for key, _, value in given if key == "title"]
    if not titles or config.get("title") is None:
        return config
    title = titles[-1]
    # Around all of it they are YAML's, or Snakemake's own.
    if title[:1] in ("'", '"') and title.find(title[0], 1) == len(title) - 1:
        title = title[1:-1]
    return {**config, "title": title}


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with all defaults filled in.

    Raises
    ------
    ReelbowError
        If a key is unknown or a value is not what it should be; it names the key.
    """
    schema = load_schema("config")
    title = config.get("title")
    if not isinstance(title, str | None):
        # YAML reads 1984 as a number, and a colon as a group of keys.
        raise ReelbowError(
            f"config: title is {title!r}, should be a text; put it between quotes, as "
            'title: "1984"'
        )
    if unshown := UNSHOWN.search(title or ""):
        raise ReelbowError(
            f"config: title has the control character {unshown[0]!r}; delete it"
        )
    config = read_texts(config, schema)
    check_value(config, schema, "config: ")
    filled = fill_defaults(config, schema)
    sampling = filled["sampling"]
    if sampling["mode"] != "interval" and sampling["every"] % 1:
        raise ReelbowError(
            f"config: sampling.every is {sampling['every']}, but sampling.mode "
            f"{sampling['mode']} counts: give a whole number"
        )
    least, most = filled["cluster"]["auto_colors"]
    if least > most:
        raise ReelbowError(
            f"config: cluster.auto_colors is [{least}, {most}], should be the fewest "
            "colors and then the most"
        )
    if "contact" in filled["barcodes"]["kinds"] and not filled["previews"]["height"]:
        raise ReelbowError(
            "config: barcodes.kinds has contact, which is made of previews, but "
            "previews.height is null; give them rows, such as 72, or leave out contact"
        )
    bars = filled["barcodes"]
    if is_wide(bars) and (bars["shape"] != "line" or bars["smooth"]):
        key = "shape" if bars["shape"] != "line" else "smooth"
        raise ReelbowError(
            f"config: barcodes.width is {bars['width']!r}, but barcodes.{key} is "
            f"{bars[key]!r}, which is for barcodes of at most {WIDEST_PNG} columns; "
            "leave one of them out"
        )
    shots = filled["shots"]
    if shots["detector"] == "hash" and (shots["threshold"] or 0) > 1:
        raise ReelbowError(
            f"config: shots.threshold is {shots['threshold']}, should be at most 1 for "
            "the detector hash, whose own is 0.35"
        )
    if filled["hot_pixels"]["repair"] and not filled["hot_pixels"]["find"]:
        raise ReelbowError(
            "config: hot_pixels.repair is true, but hot_pixels.find is false, and so "
            "nothing would be repaired; set both to true"
        )
    if filled["posters"]:
        from reelbow.barcode.paper import check_posters

        check_posters(filled["posters"])
    return filled


def is_wide(barcodes: Mapping[str, Any]) -> bool:
    """Whether barcodes may have more columns than a PNG should."""
    width = barcodes["width"]
    return width == "frames" or (width or 0) > WIDEST_PNG


def count_most_colors(cluster: Mapping[str, Any]) -> int:
    """Count the colors that a palette can have at most by the group `cluster`."""
    n_colors = cluster["n_colors"]
    return int(cluster["auto_colors"][1] if n_colors == "auto" else n_colors)
