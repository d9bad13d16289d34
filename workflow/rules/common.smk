# Loads and checks what the user wants.
import re
import sys
from pathlib import Path

# Of this file: `workflow.basedir` would be the importer's folder if this is a module.
SCRIPTS = Path(workflow.current_basedir).parent / "scripts"
sys.path.append(str(SCRIPTS))

from reelbow.errors import ReelbowError
from reelbow.runs import corpus, source_states, stores
from reelbow.runs.comparisons import find_pairs
from reelbow.runs.config import check_config, is_wide, keep_title
from reelbow.runs.films import SINGLE, read_films
from reelbow.runs.messages import refuse
from reelbow.runs.mosaics import count_cells
from reelbow.runs.sheet import is_sheet
from reelbow.shards.names import PATTERN as SHARD_PATTERN

DEFAULT_SHEET = "config/films.tsv"

# As a module of another workflow its results may lie in a folder of their own; what is
# told of a run is that workflow's own matter.
IS_MODULE = workflow.modifier.namespace is not None
RESULTS = Path(workflow.modifier.modify_path("results"))
STATES = Path(".snakemake/sources", RESULTS).with_suffix(".json")
STORED = STATES.with_suffix(".stored.json")


def get_provider(plugin):
    """Snakemake's connection to a kind of store; its plugin knows how to log in."""
    return storage._storages.get(plugin) or storage.register_storage(plugin)


STORES = stores.Stores(get_provider, None if workflow.is_main_process else STORED)

try:
    stores.check_results(workflow.storage_settings)
    corpus.check_results(RESULTS)
    if not IS_MODULE:
        config = keep_title(config, workflow.config_settings.config_args)
    config = check_config(config)
    # Who has no sheet and names no film sees the demo.
    if config["films"] == DEFAULT_SHEET and not Path(DEFAULT_SHEET).exists():
        config["films"] = str(SCRIPTS.parents[1] / DEFAULT_SHEET)
    films = read_films(
        config["films"],
        lambda film: corpus.is_planned(RESULTS, film),
        STORES.find,
        **{key: config[key] for key in SINGLE},
    )
    # The same in all jobs of a run: only Snakemake itself looks at the films' files.
    STATES_OF_FILMS = source_states.read_states(STATES)
    if workflow.is_main_process:
        STATES_OF_FILMS = source_states.find_states(films, RESULTS, STATES_OF_FILMS)
    FILMS, UNREADABLE = corpus.part_films(films, STATES_OF_FILMS, RESULTS)
    if workflow.is_main_process:
        corpus.check_films(FILMS, UNREADABLE)
        if not is_sheet(config["films"]):
            corpus.check_names(RESULTS, FILMS)
    PAIRS = find_pairs(config["compare"], [*FILMS, *UNREADABLE])
    # Only there plans are compared with it.
    N_CELLS = count_cells(config) if workflow.is_main_process else {}
except ReelbowError as error:
    refuse(str(error))

# Names of the comparisons that are asked for.
COMPARED = ["matrix"] if config["compare"] == "all" else [*PAIRS]

# Contact sheets have a rule of their own, since they are made of previews.
LINE_KINDS = [kind for kind in config["barcodes"]["kinds"] if kind != "contact"]

# What earlier runs have made, which stays in the database of all films.
OTHERS = corpus.list_others(RESULTS, FILMS)


wildcard_constraints:
    film="|".join(map(re.escape, FILMS)),
    shard=SHARD_PATTERN,
    mosaic="|".join(map(re.escape, config["mosaics"])) or "none",
    kind="|".join(LINE_KINDS) or "none",
