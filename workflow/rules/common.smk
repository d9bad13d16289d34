# Loads and checks what the user wants; the functions that rules ask for it.
import functools
import json
import re
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.persistence import FileBackupMixin

# Of this file: `workflow.basedir` would be the importer's folder if this is a module.
SCRIPTS = Path(workflow.current_basedir).parent / "scripts"
sys.path.append(str(SCRIPTS))

from reelbow import __version__
from reelbow.barcode import picture_files
from reelbow.database import tables
from reelbow.database.reading import find_lost as find_lost_shards
from reelbow.errors import ReelbowError
from reelbow.machine import scratch
from reelbow.machine.versions import describe_versions
from reelbow.runs import corpus, failures, pace, progress, slurm, source_states
from reelbow.runs import resources as needs
from reelbow.runs.code import digest_code
from reelbow.runs.config import check_config
from reelbow.runs.films import DEMO_FILM, SINGLE, read_films
from reelbow.runs.kept_output import keep_until_replaced
from reelbow.runs.messages import LOCKED, refuse, tell
from reelbow.runs.plain_paths import name_plainly
from reelbow.runs.sheet import is_sheet
from reelbow.shards.kinds import KINDS
from reelbow.shards.names import PATTERN as SHARD_PATTERN
from reelbow.shards.names import STAGES
from reelbow.shards.plan import find_file, read_plan, summarize_plan

DEFAULT_SHEET = "config/films.tsv"

# As a module of another workflow its results may lie in a folder of their own; what is
# told of a run is that workflow's own matter.
IS_MODULE = workflow.modifier.namespace is not None
RESULTS = Path(workflow.modifier.modify_path("results"))
if RESULTS.is_file():
    refuse(
        f"{RESULTS} is a file; rename it, since results go into a folder of that name"
    )


def is_planned(film):
    """Whether a film was there in an earlier run, which left a plan of it."""
    path = RESULTS / film / "plan.json"
    try:
        return path.exists() and "error" not in read_plan(path)
    except (OSError, ValueError):
        return False


try:
    config = check_config(config)
    # Who has no sheet and names no film sees the demo.
    if config["films"] == DEFAULT_SHEET and not Path(DEFAULT_SHEET).exists():
        config["films"] = str(SCRIPTS.parents[1] / DEFAULT_SHEET)
    SINGLE_FILM = {key: config[key] for key in SINGLE}
    FILMS = {
        film.film: film
        for film in read_films(config["films"], is_planned, **SINGLE_FILM)
    }
except ReelbowError as error:
    refuse(str(error))

# The same in all jobs of a run: only Snakemake itself looks at the films' files.
STATES = Path(".snakemake/sources", RESULTS).with_suffix(".json")
if workflow.is_main_process:
    STATES_OF_FILMS = source_states.find_states(FILMS.values(), RESULTS, STATES)
else:
    STATES_OF_FILMS = source_states.read_states(STATES)

# Films whose files cannot be read any more, and why. They fail, but nothing that was
# made of them goes, since a disk may only be away for a while.
UNREADABLE = {}
for film in [*FILMS.values()]:
    fault = film.fault or source_states.find_future(STATES_OF_FILMS.get(film.film, {}))
    if fault and is_planned(film.film):
        UNREADABLE[film.film] = fault
        del FILMS[film.film]
    elif fault:
        FILMS[film.film] = film.give_up(fault)
if workflow.is_main_process and UNREADABLE and not FILMS:
    refuse(fault if len(UNREADABLE) == 1 else f"none of the films can be read: {fault}")

# What earlier runs have made, which stays in the database of all films.
OTHERS = corpus.list_others(RESULTS, FILMS)

if workflow.is_main_process and not (
    isinstance(config["films"], str) and is_sheet(config["films"])
):
    try:
        corpus.check_names(RESULTS, FILMS)
    except ReelbowError as error:
        refuse(str(error))

keep_until_replaced(
    FileBackupMixin, RESULTS, kept=["palettes.sqlite"], dropped=["plan.json"]
)

if workflow.is_main_process:
    for cut_off in corpus.mark_cut_off(RESULTS, FILMS):
        tell(f"{cut_off} is damaged: it is cut off, or no database; it is made again.")

# Links that lead to another machine's scratch: Snakemake would stumble over them. With
# a lock there they may be those of a run that is going on.
if workflow.is_main_process:
    if "--unlock" in sys.argv:
        slurm.unlock()
    elif not any(Path(".snakemake/locks").glob("*")):
        scratch.drop_links(RESULTS)
    elif any(scratch.find_links(RESULTS)):
        refuse(LOCKED)


wildcard_constraints:
    film="|".join(map(re.escape, FILMS)),
    shard=SHARD_PATTERN,
    kind="|".join(config["barcodes"]["kinds"]) or "none",
