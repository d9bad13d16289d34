"""How films were measured, in a paragraph for a methods section, with its literature.

Every sentence goes by what the database and the files of comparisons say, not by what a
run would do now.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reelbow.provenance.markdown import escape, write_table
from reelbow.provenance.record import Compared, FilmMaking, find_versions
from reelbow.provenance.references import REFERENCES, write_reference
from reelbow.text import count, format_every, format_span, join_words

# Films that a sentence names; of more it gives their number.
MOST_TITLES = 3

# As in `kmeans.number_of_colors`, whose import takes a tenth of a second.
COST = 0.0003

_SPACES = {
    "srgb": "sRGB",
    "linear": "linear RGB",
    "oklab": "OKLab",
    "cielab": "CIE L\\*a\\*b\\* (D65)",
}
_MATRICES = {
    "bt601": "BT.601",
    "bt709": "BT.709",
    "bt2020": "BT.2020",
    "smpte240m": "SMPTE 240M",
    "fcc": "FCC",
}
_TRANSFERS = {"pq": "PQ", "hlg": "HLG"}
_PRIMARIES = {"bt2020": "BT.2020", "p3": "P3"}

# Detectors of PySceneDetect: what each goes by, and its own threshold.
_DETECTORS = {
    "adaptive": ("differs in color far more than its neighbors do (adaptive)", 3.0),
    "content": ("differs in color from the one before (content)", 27.0),
    "hash": ("differs in its perceptual hash from the one before (hash)", 0.35),
}

# What a video may not say of its colors, by the words of `assumed`.
_UNSTATED = {"matrix": "matrix", "color_range": "range", "primaries": "primaries"}

_Group = tuple[Any, list[FilmMaking]]


class _Writer:
    """Writes of films, and keeps the references that are cited, in their order."""

    def __init__(self, films: Sequence[FilmMaking]) -> None:
        self.films = films
        self.cited: dict[str, None] = {}

    def cite(self, *keys: str) -> str:
        """Cite, in parentheses."""
        self.cited |= dict.fromkeys(keys)
        return f"({'; '.join(REFERENCES[key].cited for key in keys)})"

    def name(self, shown: str, package: str, key: str) -> str:
        """Name a package with the versions that worked, and cite it."""
        found = {v for film in self.films for v in film.versions.get(package, ())}
        return self.name_versions(shown, found, key)

    def name_versions(self, shown: str, versions: set[str], key: str) -> str:
        """Name a program with these versions, and cite it."""
        words = [shown, join_words(sorted(versions)), self.cite(key)]
        return " ".join(word for word in words if word)

    def where(self, films: Sequence[FilmMaking]) -> str:
        """Say which of the films these are, as `in A and B`; nothing: all are."""
        if len(films) == len(self.films):
            return ""
        if len(films) > MOST_TITLES:
            return f"in {len(films):,} of the {count(len(self.films), 'film')}"
        return f"in {_name_films(films)}"

    def say(self, films: Sequence[FilmMaking], sentence: str) -> str:
        """Write a sentence, which begins with which of the films it is of."""
        where = self.where(films)
        sentence = f"{where}, {sentence}" if where else sentence
        return f"{sentence[0].upper()}{sentence[1:]}."

    def group(
        self,
        find: Callable[[FilmMaking], Any],
        films: Sequence[FilmMaking] | None = None,
    ) -> list[_Group]:
        """Group films by what is found of them, the most frequent first."""
        groups: dict[str, _Group] = {}
        for film in self.films if films is None else films:
            found = find(film)
            groups.setdefault(json.dumps(found), (found, []))[1].append(film)
        return sorted(groups.values(), key=lambda group: -len(group[1]))


def write_methods(
    films: Sequence[FilmMaking], compared: Sequence[Compared] = ()
) -> tuple[str, list[str]]:
    """Describe how films were measured and compared, as a page of Markdown.

    Returns
    -------
    text, and the keys of the references that it cites
    """
    paragraph, cited = describe_methods(films, compared)
    keys = list(dict.fromkeys(["reelbow", *cited]))
    references = sorted((write_reference(key) for key in keys), key=str.casefold)
    parts = [
        "# How it was made",
        paragraph,
        "## Films",
        list_films(films),
        "A digest is a SHA-256 of a file's size and of 4 MiB of its bytes, evenly "
        "spread, or of all bytes of a smaller file; `digest_file` of "
        "`reelbow.jobs.file_digest` makes it. Those of tarballs are in "
        "`ro-crate-metadata.json`.",
        "## Settings",
        list_settings(films),
        "## Versions",
        f"{list_versions(films)}.",
        "## References",
        "\n".join(f"- {reference}" for reference in references),
        "`CITATION.bib` has them for BibTeX, Zotero and their like.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n", keys


def describe_methods(
    films: Sequence[FilmMaking], compared: Sequence[Compared] = ()
) -> tuple[str, list[str]]:
    """Write the paragraph alone, and the keys of what it cites, in their order."""
    # Of what could not be read at all there is nothing to say but that.
    read = [film for film in films if film.n_read]
    writer = _Writer(read)
    sentences = [
        sentence
        for describe in (
            *(_describe_videos, _describe_images, _describe_sketches),
            *(_describe_stretches, _describe_trim),
            *(_describe_missing, _describe_crop, _describe_video_colors),
            *(_describe_hdr, _describe_image_colors, _describe_means),
            *(_describe_size, _describe_clustering, _describe_numbers),
            *(_describe_accents, _describe_engines, _describe_shots),
        )
        for sentence in describe(writer)
    ]
    sentences += _describe_compared(writer, compared)
    # Cited before all others.
    first = _Writer(read)
    if read:
        sentences.insert(0, _describe_corpus(first))
    if len(read) < len(films):
        gone = _name_films([film for film in films if not film.n_read])
        sentences.append(f"No frame of {gone} could be read.")
    return " ".join(sentences), list(first.cited | writer.cited)


def _describe_corpus(writer: _Writer) -> str:
    films = writer.films
    numbers = [film.n_read for film in films]
    noun = "image" if all(film.is_of_images for film in films) else "frame"
    each = ""
    if len(set(numbers)) > 1:
        each = f" ({min(numbers):,} to {max(numbers):,} of each)"
    by = writer.name("Reelbow", "reelbow", "reelbow")
    on = writer.name("Snakemake", "snakemake", "molder2021")
    return (
        f"Color palettes of {count(sum(numbers), noun)} of {_name_films(films)}{each} "
        f"were computed with {by}, a workflow for {on}."
    )


def _describe_videos(writer: _Writer) -> Iterator[str]:
    videos = [film for film in writer.films if not film.is_of_images]
    for (sampling, every), films in writer.group(
        lambda film: [film.row.sampling, film.row.every or 1], videos
    ):
        how_often = format_every(sampling, every)
        taken = f"{how_often} was taken"
        if sampling == "interval":
            taken = f"one frame was taken {how_often}, the one on screen at that time"
        were = "videos were" if len(films) > 1 else "the video was"
        yield writer.say(
            films,
            f"{were} decoded by FFmpeg {writer.cite('ffmpeg')} through "
            f"{writer.name('PyAV', 'av', 'pyav')}, and {taken}",
        )


def _describe_images(writer: _Writer) -> Iterator[str]:
    orders = {
        "name": "every photo counts as a frame, in the order of their names",
        "time": "every photo counts as a frame, in the order in which they were taken",
    }
    for order, films in writer.group(
        lambda film: film.settings.get("photos.order"), _find_images(writer)
    ):
        n = sum(len(film.tarballs) for film in films)
        counted = f"every image in {count(n, 'tarball')} counts as a frame"
        yield writer.say(
            films,
            f"{orders.get(order, counted)}; images were decoded by "
            f"{writer.name('simplejpeg', 'simplejpeg', 'simplejpeg')} and "
            f"{writer.name('Pillow', 'pillow', 'pillow')}",
        )


def _is_drawn(film: FilmMaking) -> bool:
    """Whether its images are drawings of sketches, and no files."""
    return "sketches.size" in film.settings


def _find_images(writer: _Writer) -> list[FilmMaking]:
    """Find the films of image files."""
    return [film for film in writer.films if film.is_of_images and not _is_drawn(film)]


def _describe_sketches(writer: _Writer) -> Iterator[str]:
    drawn = [film for film in writer.films if _is_drawn(film)]
    for (size, thickness, color), films in writer.group(
        lambda film: [
            film.settings[f"sketches.{key}"] for key in ("size", "thickness", "color")
        ],
        drawn,
    ):
        colors = "black" if color == "black" else "the colors of Turbo, in turn,"
        yield writer.say(
            films,
            f"every drawing counts as a frame; its strokes were drawn in {colors} on "
            f"white, {size}x{size} pixels, as lines {thickness * size:g} pixels wide "
            "with round caps and joins, each pixel by how much of it is covered",
        )


def _describe_stretches(writer: _Writer) -> Iterator[str]:
    for span, films in writer.group(_format_span):
        if span:
            yield writer.say(films, f"only the stretch {span} was sampled")


def _describe_trim(writer: _Writer) -> Iterator[str]:
    asked = [film for film in writer.films if film.row.trim_asked == "auto"]
    if asked:
        found = [
            film for film in asked if film.row.trimmed_start or film.row.trimmed_end
        ]
        where = f" {writer.where(found)}" if len(found) < len(asked) else ""
        result = f"that was found{where}" if found else "nothing was left out"
        yield writer.say(
            asked,
            "black, and titles and credits on black, were to be left out at both ends, "
            f"but for ends that were given and what goes on for too long; {result}",
        )


def _describe_missing(writer: _Writer) -> Iterator[str]:
    n_missing = sum(film.n_missing for film in writer.films)
    n_lost = sum(film.n_lost for film in writer.films)
    if n_missing:
        n = n_missing + sum(film.n_read for film in writer.films)
        yield (
            f"Of {count(n, 'sampled frame')}, {n_missing:,} "
            f"({_percent(n_missing, n)}) could not be read and "
            f"{'is' if n_missing == 1 else 'are'} left out."
        )
    if n_lost:
        parts = "one damaged part (a tarball or a stretch of a video)"
        if n_lost > 1:
            parts = f"{n_lost:,} damaged parts (tarballs or stretches of a video)"
        yield f"Of {parts} only what could be read counts."


def _describe_crop(writer: _Writer) -> Iterator[str]:
    def find(film: FilmMaking) -> str | None:
        asked = film.row.crop_asked or "none"
        # On their white ground nobody looks for bars.
        if asked == "auto" and _is_drawn(film):
            return "none"
        # A rectangle that is given is that of what is kept, or all of it.
        return asked if asked in ("auto", "none") else film.row.crop

    for asked, films in writer.group(find):
        if asked == "auto":
            found = [film for film in films if film.row.crop]
            where = f" {writer.where(found)}" if len(found) < len(films) else ""
            result = (
                f"they were found{where} and cropped" if found else "there are none"
            )
            yield writer.say(
                films,
                "black bars that stay at the edges of the picture (letterbox, "
                f"pillarbox) were looked for automatically; {result}",
            )
        elif asked in ("none", None):
            yield writer.say(films, "the whole picture was measured")
        else:
            width, height, left, top = asked.split(":")
            yield writer.say(
                films,
                f"the picture was cropped to {width}x{height} pixels, {left} from the "
                f"left and {top} from the top",
            )


def _describe_video_colors(writer: _Writer) -> Iterator[str]:
    videos = [film for film in writer.films if film.row.matrix is not None]
    groups = writer.group(lambda film: [film.row.matrix, film.row.color_range], videos)
    if groups:
        to_srgb = f"decoded values were converted to sRGB {writer.cite('srgb')}"
        ways = []
        for (matrix, color_range), films in groups:
            way = f"from {color_range} range"
            if matrix != "rgb":
                way += f" by the matrix of {_MATRICES[matrix]} {writer.cite(matrix)}"
            ways.append(way if len(groups) == 1 else f"{way} {writer.where(films)}")
        which = videos if len(groups) == 1 else writer.films
        yield writer.say(which, f"{to_srgb} {'; '.join(ways)}")
    for assumed, films in writer.group(lambda film: film.row.assumed, videos):
        words = (assumed or "").split(",")
        unstated = [name for word, name in _UNSTATED.items() if word in words]
        if unstated:
            is_one = unstated == ["matrix"] or unstated == ["range"]
            are, taken = ("is", "the one") if is_one else ("are", "those")
            were = "was" if is_one else "were"
            yield writer.say(
                films,
                f"the {join_words(unstated)} {are} not stated in the file; {taken} "
                f"that video players assume {were} taken",
            )
        if "varies" in words:
            yield writer.say(
                films,
                "some pictures are coded otherwise than most, and were read by their "
                "own coding",
            )


def _describe_hdr(writer: _Writer) -> Iterator[str]:
    for transfer, films in writer.group(lambda film: film.row.transfer):
        if transfer in _TRANSFERS:
            curve = ["pq", "hdr"] if transfer == "pq" else ["hdr"]
            yield writer.say(
                films,
                f"the high dynamic range of {_TRANSFERS[transfer]} "
                f"{writer.cite(*curve)} was compressed to that of SDR by the EETF of "
                f"the ITU {writer.cite('eetf')}, with diffuse white at 203 cd/m² "
                f"{writer.cite('white')}",
            )
    for primaries, films in writer.group(lambda film: film.row.primaries):
        if primaries in _PRIMARIES:
            keys = ["p3"] if primaries == "p3" else ["bt2020", "gamut"]
            yield writer.say(
                films,
                f"colors of {_PRIMARIES[primaries]} primaries {writer.cite(*keys)} "
                "were brought to those of sRGB in linear light and clipped to its "
                "gamut",
            )


def _describe_image_colors(writer: _Writer) -> Iterator[str]:
    images = _find_images(writer)
    if images:
        yield writer.say(
            images,
            f"images were brought to sRGB {writer.cite('srgb')} by their ICC profiles "
            f"{writer.cite('icc')}, and taken as sRGB where they have none",
        )


def _describe_means(writer: _Writer) -> Iterator[str]:
    for (space, is_exact), films in writer.group(
        lambda film: [
            film.settings["mean.space"],
            film.settings["mean.exact"] or not film.is_of_images,
        ]
    ):
        what = "linear light" if space == "linear" else "sRGB values"
        of = "all pixels of the full-size picture"
        if not is_exact:
            of = "the picture, JPEGs being decoded at a reduced scale"
        yield writer.say(films, f"mean colors are averages of {what} over {of}")


def _describe_size(writer: _Writer) -> Iterator[str]:
    for height, films in writer.group(lambda film: film.settings["downsample.height"]):
        yield writer.say(
            films,
            "palettes were found on the pixels of the full-size picture"
            if height is None
            else f"palettes were found on pictures of {count(height, 'row')} (fewer "
            "where the film has fewer), each pixel an average over its area of the "
            "full-size picture",
        )


def _describe_clustering(writer: _Writer) -> Iterator[str]:
    keys = ["n_colors", "color_space", "n_init", "seed"]
    for (k, space, n_init, seed), films in writer.group(
        lambda film: [film.settings[f"cluster.{key}"] for key in keys]
    ):
        by = f"k-means clustering {writer.cite('lloyd1982')}"
        known = {"oklab": "ottosson2020", "cielab": "cielab"}.get(space)
        where = f"{_SPACES[space]} {writer.cite(known)}" if known else _SPACES[space]
        number = "as many colors as it needs"
        if k != "auto":
            number = f"{count(k, 'color')} (fewer where it has fewer distinct ones)"
        starts = f"the best of {count(n_init, 'start')} was kept"
        if n_init == 1:
            starts = "there was a single start"
        yield writer.say(
            films,
            f"each frame was reduced to {number} by {by} in {where}; {starts}, and "
            f"the seed is {seed}",
        )


def _describe_engines(writer: _Writer) -> Iterator[str]:
    """Which implementations of k-means did it, and of several how much each."""
    parts: dict[str, int] = {}
    versions: dict[str, set[str]] = {}
    for film in writer.films:
        for engine, (n, found) in film.engines.items():
            parts[engine] = parts.get(engine, 0) + n
            versions.setdefault(engine, set()).update(found)

    def name(engine: str, shown: str, key: str) -> str:
        told = writer.name_versions(shown, versions[engine], key)
        n_all = sum(parts.values())
        share = f" for {parts[engine]:,} of {n_all:,} parts of the films"
        return told + (share if parts[engine] < n_all else "")

    own = []
    if "numba" in parts:
        own.append(f"compiled by {name('numba', 'Numba', 'lam2015')}")
    if "cupy" in parts:
        own.append(f"run on a GPU by {name('cupy', 'CuPy', 'okuta2017')}")
    if own:
        yield (
            "k-means is Reelbow's own implementation on a weighted histogram of the "
            "frame's colors, of 6 bits a channel, or of every color where these are "
            f"few, with greedy k-means++ seeding {writer.cite('arthur2007')}, "
            f"{' and '.join(own)}"
            + ("; both give the same bits." if len(own) > 1 else ".")
        )
    if "sklearn" in parts:
        by = name("sklearn", "scikit-learn", "pedregosa2011")
        yield (
            f"k-means is that of {by} on every pixel, with greedy k-means++ seeding "
            f"{writer.cite('arthur2007')}."
        )
    if "cuml" in parts:
        by = name("cuml", "RAPIDS cuML", "raschka2020")
        yield (
            f"k-means is that of {by} on every pixel, on a GPU, with scalable "
            f"k-means++ seeding {writer.cite('bahmani2012')}."
        )


def _describe_numbers(writer: _Writer) -> Iterator[str]:
    """How the number of colors was chosen, and what came of it."""
    for bounds, films in writer.group(
        lambda film: film.settings.get("cluster.auto_colors")
    ):
        if bounds is not None:
            n_colors = sum(film.n_colors - film.n_accents for film in films)
            mean = n_colors / sum(film.n_read for film in films)
            yield writer.say(
                films,
                f"the number of colors of each frame, {bounds[0]} to {bounds[1]}, was "
                f"chosen by the objective of DP-means {writer.cite('kulis2012')}, at a "
                f"cost of {COST} for each color in squared OKLab distance "
                f"{writer.cite('ottosson2020')}, by merging the colors of a palette of "
                f"{bounds[1]} in pairs {writer.cite('ward1963')}; its mean is "
                f"{mean:.1f}",
            )


def _describe_accents(writer: _Writer) -> Iterator[str]:
    for n, films in writer.group(lambda film: film.settings.get("cluster.accents", 0)):
        if n:
            n_found = sum(film.n_accents for film in films)
            yield writer.say(
                films,
                f"accents were added to each palette, at most {n}: small but saturated "
                f"areas unlike its other colors ({n_found:,} in all)",
            )


def _describe_shots(writer: _Writer) -> Iterator[str]:
    """How cuts were found, and how many shots there are."""
    for finding, films in writer.group(lambda film: film.finding):
        if finding:
            goes_by, own_threshold = _DETECTORS[finding["detector"]]
            threshold = finding["threshold"] or own_threshold
            n_shots = sum(film.n_shots for film in films)
            found = {v for film in films for v in film.versions.get("scenedetect", ())}
            by = writer.name_versions("PySceneDetect", found, "pyscenedetect")
            yield writer.say(
                films,
                f"cuts were looked for in every picture by {by}, where one {goes_by}, "
                f"with a threshold of {threshold:g} and no cut within "
                f"{finding['min_length_s']:g} s of the one before; "
                f"{count(n_shots, 'shot')} {'was' if n_shots == 1 else 'were'} found",
            )


def _describe_compared(writer: _Writer, compared: Sequence[Compared]) -> Iterator[str]:
    """Which films were compared, and by what."""
    titles = {film.row.film: f"*{escape(film.row.title)}*" for film in writer.films}
    told = [each for each in compared if titles.keys() >= set(each.films)]
    pairs = [each.films for each in told if each.is_pair]
    if not told:
        return
    if len(pairs) > 1:
        which = f"{count(len(pairs), 'pair')} of films were compared"
    elif pairs:
        which = f"{join_words(titles[film] for film in pairs[0])} were compared"
    else:
        which = f"{count(len(told[0].films), 'film')} were compared, each with each,"
    by = [
        f"by the earth mover's distance of their palettes {writer.cite('rubner2000')} "
        f"over CIEDE2000 {writer.cite('sharma2005')}, computed by POT "
        f"{writer.cite('flamary2021')}",
        f"by the minimum color difference of these {writer.cite('pan2018')}",
    ]
    if pairs:
        by += [
            "by the CIEDE2000 of mean colors aligned in time by dynamic time warping "
            f"{writer.cite('sakoe1978')}, by dtaidistance {writer.cite('meert')}",
            "by the structural similarity (SSIM) of their barcodes "
            f"{writer.cite('wang2004')}, by scikit-image {writer.cite('walt2014')}",
        ]
    yield f"{which[0].upper()}{which[1:]} {'; '.join(by[:-1])}; and {by[-1]}."


def list_films(films: Sequence[FilmMaking]) -> str:
    """Write a table of the films, in Markdown."""
    header = [
        *("film", "title", "source", "digest", "frames", "missing", "sampled"),
        *("stretch", "picture", "kept", "colors as read"),
    ]
    return write_table(header, map(_list_film, films))


def _list_film(film: FilmMaking) -> list[str]:
    row = film.row
    colors = [row.matrix, row.color_range, row.transfer, row.primaries]
    read_as = " ".join(word for word in colors if word) or "as images"
    return [
        escape(row.film),
        escape(row.title),
        escape(row.source),
        f"`{row.digest}`" if row.digest else _count_tarballs(film),
        f"{film.n_read:,}",
        f"{film.n_missing:,}",
        format_every(row.sampling, row.every or 1) if row.sampling else "every image",
        _format_span(film) or "all",
        f"{row.width}x{row.height}" if row.width else "",
        row.crop or "all",
        read_as + (f" (assumed: {row.assumed})" if row.assumed else ""),
    ]


def list_settings(films: Sequence[FilmMaking]) -> str:
    """Write a table of the settings that decide palettes, in Markdown."""
    writer = _Writer([film for film in films if film.settings])
    rows = []
    for key in sorted({key for film in writer.films for key in film.settings}):
        having = [film for film in writer.films if key in film.settings]
        for value, those in writer.group(
            lambda film, key=key: film.settings[key],  # type: ignore[misc]
            having,
        ):
            where = writer.where(those) or "of all films"
            rows.append([f"`{key}`", f"`{json.dumps(value)}`", where])
    return write_table(["setting", "value", "where"], rows)


def list_versions(films: Sequence[FilmMaking]) -> str:
    """List the versions of all packages that can show in a palette."""
    return ", ".join(
        f"{name} {' and '.join(versions)}"
        for name, versions in find_versions(films).items()
    )


def _count_tarballs(film: FilmMaking) -> str:
    return count(len(film.tarballs), "tarball") if film.tarballs else ""


def _format_span(film: FilmMaking) -> str:
    return format_span(film.row.start_s, film.row.end_s)


def _name_films(films: Sequence[FilmMaking]) -> str:
    if len(films) > MOST_TITLES:
        return count(len(films), "film")
    return join_words(f"*{escape(film.row.title)}*" for film in films)


def _percent(part: int, whole: int) -> str:
    """Write a part as per cent, never rounded to none."""
    return f"{max(100 * part / whole, 0.1):.1f}%"
