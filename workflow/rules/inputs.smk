# What rules read: functions of wildcards that name files, and the plans they are in.
import functools
from types import SimpleNamespace

# In Python code of a rules file Snakemake takes the plain name for a directive.
from snakemake.io import report as shown_in_report

from reelbow.barcode import picture_files
from reelbow.barcode.fonts import is_font_file
from reelbow.jobs.stored_files import is_url
from reelbow.runs.auditing import choose_shards
from reelbow.runs.comparisons import find_pair
from reelbow.runs.films import DEMO_FILM
from reelbow.runs.messages import tell
from reelbow.runs.plain_paths import name_plainly
from reelbow.runs.summary import describe_trim, describe_untrimmed
from reelbow.shards.names import AUDITS, SHARD_RULES, STAGES
from reelbow.shards.plan import list_files, read_plan, summarize_plan

FIGURE_ENDINGS = [
    picture_files.FIGURE_ENDINGS[suffix] for suffix in config["barcodes"]["formats"]
]

# Wider barcodes than a PNG should be are TIFFs.
BARE_ENDING = ".tif" if is_wide(config["barcodes"]) else ".png"

# What is made of shots, if they are looked for.
FINDS_SHOTS = config["shots"]["detector"] != "none"
SHOT_TABLES = ["shots", "shot_palettes"] if FINDS_SHOTS else []
SWATCHES = ["ase", "gpl", "aco", "css"]
SHOT_SUFFIXES = [*SWATCHES, "edl", "otio", "vtt", "eaf"] if FINDS_SHOTS else []

# Figures that have no bare barcode.
FIGURES_ALONE = [
    kind
    for kind, is_asked in [("measures", config["measures"]), ("shots", FINDS_SHOTS)]
    if is_asked
]

# Files of fonts, which may be exchanged as a film may.
POSTER_FONTS = [
    local(str(name_plainly(Path(poster["font"]))))
    for poster in config["posters"].values()
    if poster["font"] and is_font_file(poster["font"])
]

if config["trim"] == "auto" and workflow.is_main_process:
    if untrimmed := describe_untrimmed(FILMS):
        tell(untrimmed)


def get_film(wildcards):
    """The film's row of the sheet."""
    return FILMS[wildcards.film]


def get_source(wildcards):
    """The film's file; where they are many, each may change, and none is an input."""
    film = get_film(wildcards)
    if film.fault:
        return []
    if film.kind.takes_many:
        return [as_source(file) for file in list_fetched(film)]
    return as_source(film.files[0])


def list_fetched(film):
    """The files in a store that a plan needs: of many some, since all come as a whole."""
    if not film.files or not is_url(film.source):
        return []
    last = len(film.files) - 1
    return [str(film.files[place]) for place in sorted({0, last // 2, last})]


def as_source(path):
    """Mark a user's file, which lies where it lies also if this is a module.

    Snakemake would read {word} and <word> in its name in its own way.
    """
    if path == DEMO_FILM:
        return str(path)
    if is_url(str(path)):
        return fetch(str(path))
    return local(str(name_plainly(Path(path))))


def fetch(url):
    """Mark a file in a store, of which each job's node gets a copy for a while."""
    plugin = stores.name_plugin(url)
    get_provider(plugin)
    # On a cluster each job fetches its own; Snakemake would have it wait for a copy that
    # is here.
    here = workflow.local_exec or not workflow.is_main_process
    file = storage._storage_object(url, provider=plugin, retrieve=here)
    file.flags["storage_object"] = STORES.guard(file.flags["storage_object"])
    return file


def get_fault(wildcards):
    """Why a film that was there cannot be read any more."""
    return UNREADABLE.get(wildcards.film)


def peek_plan(film):
    """The plan that is there, whether or not it is to be made again; or None."""
    plan = RESULTS / film / "plan.json"
    return load_plan(plan, plan.stat().st_mtime_ns) if plan.exists() else None


def lookup_film(column):
    """A params function: one column of the film's row."""
    return lambda wildcards: getattr(get_film(wildcards), column)


def keep_if(keep, path):
    """Mark an intermediate file for removal after use, unless it is to be kept."""
    return path if keep else temp(path)


def name_previews(rule):
    """The sheet of a shard's previews, for the rule that reads its frames."""
    return "results/{film}/previews/{shard}.jpg" if makes_previews(rule) else []


def makes_previews(rule):
    """Whether previews are asked for, and made by a rule."""
    at_full_size = config["downsample"]["height"] is None
    reading = "cluster_shard" if at_full_size else "downsample_frames"
    return config["previews"]["height"] is not None and rule == reading


def get_plan(wildcards):
    """The film's plan, once it is made."""
    made = checkpoints.plan_shards.get(film=wildcards.film).output.plan
    plan = Path(made)
    if not plan.exists():
        # Results are in a store, and their copies were deleted here.
        with made.open():
            pass
    return load_plan(plan, plan.stat().st_mtime_ns)


@functools.cache
def load_plan(plan, written_ns):
    """What rules ask of a plan, read once and not for each of thousands of shards."""
    try:
        return summarize_plan(read_plan(plan))
    except ReelbowError as error:
        raise WorkflowError(f"Reelbow: {error}") from None


def get_shard_source(wildcards):
    """The user's files that a shard's pictures are in: the film's, or its own."""
    if not get_film(wildcards).kind.takes_many:
        return get_source(wildcards)
    plan = get_plan(wildcards)
    if wildcards.shard not in plan["shards"]:
        raise WorkflowError(
            f"film {wildcards.film} has no shard {wildcards.shard}; its shards are in "
            f"{RESULTS / wildcards.film / 'plan.json'}"
        )
    part = plan["shards"][wildcards.shard]
    return [as_source(file) for file in list_files(plan, part)]


def get_plan_of_shard(wildcards):
    """The plan; where shards have their own files, a new one says nothing new of them."""
    plan = f"results/{wildcards.film}/plan.json"
    return ancient(plan) if get_film(wildcards).kind.takes_many else plan


def get_shards(wildcards):
    """The names of all the film's shards."""
    if workflow.is_main_process and not workflow.local_exec:
        doubt_shards(wildcards.film)
    plan = get_plan(wildcards)
    if plan.get("trimmed_start") or plan.get("trimmed_end"):
        tell_once(f"{wildcards.film}: {describe_trim(plan)}.")
    return list(plan["shards"])


@functools.cache
def tell_once(sentence):
    """Say something that rules find out again and again."""
    if workflow.is_main_process:
        tell(sentence)


@functools.cache
def doubt_shards(film):
    """Tell once a film that its shards are far too small or too large for a cluster."""
    # A file may be a shard as it stands; and of what is done nobody wants to hear.
    if (
        FILMS[film].kind.files_are_shards
        or (RESULTS / film / "palettes.sqlite").exists()
    ):
        return
    first = SimpleNamespace(film=film, shard="00000")
    if get_plan(first).get("error"):
        return
    plan, size = get_plan(first), get_size(first)
    work_s = sum(needs.estimate_s(stage, size, config) for stage in STAGES)
    n_shards, per_shard = len(plan["shards"]), config["shards"]["frames"]
    doubt = needs.doubt_shards(n_shards, plan["n_frames"], per_shard, work_s)
    if doubt:
        tell(f"{film}: {doubt}")


def get_all_shards(wildcards):
    """The databases of the shards of all films."""
    return name_shard_files("palettes/{shard}.sqlite", FILMS)


def get_all_previews(wildcards):
    """The sheets of previews of all films, if there are to be any."""
    if config["previews"]["height"] is None:
        return []
    return name_shard_files("previews/{shard}.jpg", FILMS)


def get_film_previews(wildcards):
    """The sheets of a film's previews, if there are to be any."""
    if config["previews"]["height"] is None:
        return []
    return name_shard_files("previews/{shard}.jpg", [wildcards.film])


def get_cut_scores(wildcards):
    """The scores of cuts of a film's shards, if shots are to be found."""
    if not FINDS_SHOTS:
        return []
    return name_shard_files("cuts/{shard}.npz", [wildcards.film])


def get_kept_frames(wildcards):
    """The frames to keep; files that are shards have theirs already."""
    if not config["extract"]["keep"]:
        return []
    films = [film for film in FILMS if not FILMS[film].kind.files_are_shards]
    return name_shard_files("frames/{shard}.tar", films)


def name_shard_files(pattern, films):
    """The files of this name of all shards of films."""
    return [
        f"results/{film}/{pattern.format(shard=shard)}"
        for film in films
        for shard in get_shards(SimpleNamespace(film=film))
    ]


def get_all_barcodes(wildcards):
    """Every picture that the configuration asks for."""
    drawn = list_drawn_films()
    pictures = collect(
        "results/{film}/barcodes/{kind}{ending}",
        film=drawn,
        kind=config["barcodes"]["kinds"],
        ending=FIGURE_ENDINGS,
    )
    pictures += [
        f"results/{film}/barcodes/{kind}{find_bare_ending(kind)}"
        for film in drawn
        for kind in config["barcodes"]["kinds"]
    ]
    pictures += collect(
        "results/{film}/barcodes/{kind}.{suffix}",
        film=drawn,
        kind=FIGURES_ALONE,
        suffix=config["barcodes"]["formats"],
    )
    return leave_out_failed(pictures)


def get_averages(wildcards):
    """The average drawings of films that have some, if there are pictures at all."""
    drawn = list_drawn_films() if config["barcodes"]["kinds"] else []
    return leave_out_failed(
        [
            f"results/{film}/sketches/average.png"
            for film in drawn
            if FILMS[film].kind.averaged_by
        ]
    )


def list_drawn_films():
    """The films that have pictures and a page: not those without frames."""
    find_plan = peek_plan
    if config["errors"]["missing_shards"] == "skip" and "report" not in ASKED_FOR:
        # Which films have none their plans tell, and so nothing is drawn before these.
        find_plan = lambda film: get_plan(SimpleNamespace(film=film))
    return [film for film in FILMS if not (find_plan(film) or {}).get("error")]


def find_bare_ending(kind):
    """What follows a kind in the name of its bare picture."""
    return ".png" if kind == "contact" else BARE_ENDING


def name_pictures(kinds):
    """A film's pictures of these kinds, as a report shows those that it can."""
    # Their job leaves those that would come out the same (see kept_output).
    return [
        update(name_picture(kind, ending, is_bare=ending not in FIGURE_ENDINGS))
        for kind in kinds
        for ending in [find_bare_ending(kind), *FIGURE_ENDINGS]
    ]


def name_picture(kind, ending, *, is_bare):
    """One of a film's pictures; a TIFF no browser shows, and it may have gigabytes."""
    path = f"results/{{film}}/barcodes/{kind}{ending}"
    if ending == ".tif":
        return path
    caption = "barcode" if is_bare else "figure"
    return shown_in_report(
        path,
        caption=f"../report/{'contact' if kind == 'contact' else caption}.rst",
        category="{film}",
        labels={
            "kind": kind,
            "picture": "bare" if is_bare else f"figure, {ending[-3:].upper()}",
        },
    )


def name_figures_alone():
    """A film's figures of measures and of shots, if any are asked for."""
    return [
        shown_in_report(
            f"results/{{film}}/barcodes/{kind}.{suffix}",
            caption=f"../report/{kind}.rst",
            category="{film}",
            labels={"kind": kind, "picture": f"figure, {suffix.upper()}"},
        )
        for kind in FIGURES_ALONE
        for suffix in config["barcodes"]["formats"]
    ]


def name_posters():
    """A film's posters, as a report shows those that it can."""
    return [
        shown_in_report(
            f"results/{{film}}/posters/{name}.{suffix}",
            caption="../report/poster.rst",
            category="{film}",
            labels={"kind": name, "picture": f"poster, {suffix.upper()}"},
        )
        for name, poster in config["posters"].items()
        for suffix in poster["formats"]
    ]


def get_posters(wildcards):
    """The posters of all films, if any are asked for."""
    posters = collect(
        "results/{film}/posters/{poster}",
        film=list_drawn_films() if config["posters"] else [],
        poster=[
            f"{name}.{suffix}"
            for name, poster in config["posters"].items()
            for suffix in poster["formats"]
        ],
    )
    return leave_out_failed(posters)


def get_tables(wildcards):
    """The tables of all films."""
    return leave_out_failed(["results/films.tsv", "results/skipped.tsv"])


def get_exports(wildcards):
    """The tables of each film and of all, if there are to be any."""
    formats = config["tables"]["formats"]
    if not formats:
        return []
    tables = ["frames", "palettes", *SHOT_TABLES]
    films = collect(
        "results/{film}/tables/{name}",
        film=list_drawn_films(),
        name=[
            *(f"{name}.{end}" for name in tables for end in formats),
            *(f"film.{end}" for end in ["json", *SWATCHES]),
            *(f"shots.{end}" for end in SHOT_SUFFIXES),
        ],
    )
    tables = collect("results/tables/films.{suffix}", suffix=formats)
    return leave_out_failed([*films, *tables])


def get_hot_pixels(wildcards):
    """What is found of hot pixels, and repaired copies, if they are asked for.

    Of drawings there is no camera, and of videos there are no files to be repaired.
    """
    about = config["hot_pixels"]
    if not about["find"]:
        return []
    films = [film for film in list_drawn_films() if not FILMS[film].kind.is_drawn]
    files = collect(
        "results/{film}/{name}",
        film=films,
        name=["defects.sqlite", "defects.csv", "defects.png", "defects_worst.png"],
    )
    if about["repair"]:
        of_files = [film for film in films if not FILMS[film].kind.is_decoded]
        files += name_shard_files("repaired/{shard}", of_files)
    return leave_out_failed(files)


def get_pages(wildcards):
    """The page of all films and that of each one, if pages are made."""
    if not config["explorer"]["page"]:
        return []
    pages = collect("results/{film}/explorer.html", film=list_drawn_films())
    return leave_out_failed(["results/index.html", *pages])


def get_index(wildcards):
    """The index of colors over all films, if it is asked for; a report shows none."""
    is_asked = config["search"]["index"] and "report" not in ASKED_FOR
    return ["results/colors.sqlite"] if is_asked else []


def get_compared(place):
    """An input function: the database of one film of a pair."""

    def get_database(wildcards):
        pair = PAIRS.get(wildcards.pair) or find_pair(wildcards.pair, FILMS)
        if pair is None:
            raise WorkflowError(
                f"there is no pair of films {wildcards.pair}; write it as film--film"
            )
        return f"results/{pair[place]}/palettes.sqlite"

    return get_database


def get_comparisons(wildcards):
    """The comparisons that are asked for; a film that fails has none."""
    if config["compare"] == "all":
        names = ["matrix.json", "matrix.csv", "matrix.png", "map.png"]
    else:
        names = [
            f"{name}.{suffix}"
            for name, pair in PAIRS.items()
            if not UNREADABLE.keys() & pair
            for suffix in ("json", "png")
        ]
    return leave_out_failed([f"results/comparisons/{name}" for name in names])


def get_described(wildcards):
    """All that is made for people, which write_provenance lists."""
    return [
        *get_all_barcodes(wildcards),
        *get_averages(wildcards),
        *get_posters(wildcards),
        *get_all_previews(wildcards),
        *get_tables(wildcards),
        *get_pages(wildcards),
        *get_exports(wildcards),
        *get_hot_pixels(wildcards),
        *get_comparisons(wildcards),
    ]


def get_mosaics(wildcards):
    """The mosaics that are asked for; of no frames at all there are none."""
    suffixes = [".png", "_maps.png", ".sqlite"]
    suffixes += [".html"] if config["explorer"]["page"] else []
    names = [f"{name}{suffix}" for name in config["mosaics"] for suffix in suffixes]
    if names and not list_drawn_films():
        return []
    return leave_out_failed([f"results/mosaics/{name}" for name in names])


def get_target(wildcards):
    """The image that a mosaic is to look like."""
    return as_source(config["mosaics"][wildcards.mosaic]["target"])


def get_tiles(wildcards):
    """The tiles of all films, if there may be enough of them."""
    films = list_drawn_films()
    planned = [get_plan(SimpleNamespace(film=film))["n_frames"] for film in films]
    # Of tarballs nobody knows before they are read.
    if None not in planned and workflow.is_main_process:
        # Imported for who asks for a mosaic.
        from reelbow.mosaic.planning import find_want

        about = config["mosaics"][wildcards.mosaic]
        want = find_want(
            N_CELLS[wildcards.mosaic], about["columns"], sum(planned), about["max_use"]
        )
        if want:
            # Its job fails of it; what others make is not held up.
            tell_once(f"mosaics.{wildcards.mosaic} will fail: {want}.")
    return name_shard_files("tiles/{shard}.npz", films)


def get_tiled_films(wildcards):
    """The databases of the films that mosaics are made of."""
    return [f"results/{film}/palettes.sqlite" for film in list_drawn_films()]


def get_tiled_previews(wildcards):
    """The sheets of the previews that mosaics are made of."""
    return name_shard_files("previews/{shard}.jpg", list_drawn_films())


def get_provenance(wildcards):
    """How the films were made, if that is to be told."""
    if not config["provenance"]:
        return []
    readmes = collect("results/{film}/README.md", film=FILMS)
    names = ["methods.md", "CITATION.bib", "ro-crate-metadata.json"]
    return leave_out_failed([*(f"results/{name}" for name in names), *readmes])


def get_audited(wildcards):
    """Databases of the shards to be made anew; those that are not there are made now."""
    return [
        f"results/{film}/palettes/{shard}.sqlite" for film, shard in choose_audited()
    ]


def get_audits(wildcards):
    """The databases of these shards, made anew."""
    return [f"results/{film}/audit/{shard}.sqlite" for film, shard in choose_audited()]


def choose_audited():
    """A share of all shards, evenly spread; at least one."""
    shards = [
        (film, shard)
        for film in FILMS
        for shard in get_shards(SimpleNamespace(film=film))
    ]
    return choose_shards(shards, **config["audit"])


def leave_out_failed(paths):
    """The files; of those of a report only what is there, or there would be none."""
    if "report" not in ASKED_FOR:
        return paths
    # As a module they lie in a folder of their own.
    return [path for path in paths if (RESULTS.parent / path).exists()]
