# What is told of a run, and what is done at its start and end.
import os

from snakemake import __version__ as snakemake_version
from snakemake.persistence import FileBackupMixin

from reelbow import __version__
from reelbow.barcode.picture_files import PICTURES
from reelbow.database import tables
from reelbow.jobs.files import atomic_write
from reelbow.machine import scratch
from reelbow.runs import compiling, failures, finished, pace, progress, slurm
from reelbow.runs import snakemake_inside
from reelbow.runs.kept_output import keep_until_replaced, mark_as_old
from reelbow.runs.mosaics import check_targets, describe_mosaics
from reelbow.runs.snakemake_inside import call_before
from reelbow.runs.summary import describe_outdated, describe_unasked

# What Snakemake is to do beside a run.
ASKED_FOR = set()

# As a module its rules may have other names.
ONE_KIND_FIRST = list(
    map(workflow.modifier.modify_rulename, ["render_barcode", "render_barcodes"])
)


def look_at_results():
    """See to what Snakemake would stumble over, before it looks at the results.

    A dry run changes nothing on disk, nor does what is no run at all.
    """
    targets = map(Path, workflow.dag_settings.targets)
    named = any(target.parent.name == "barcodes" for target in targets)
    # Who names some pictures wants no others, and a report has those that are there. But
    # figures that are of no kind only the job of all kinds makes.
    if named or ("report" in ASKED_FOR and not FIGURES_ALONE):
        workflow.ruleorder(*ONE_KIND_FIRST)
    is_run = workflow.executor_plugin is not None and not workflow.dryrun
    cut_off = corpus.find_cut_off(RESULTS, FILMS)
    for path in cut_off:
        tell(f"{path} is damaged: it is cut off, or no database; it is made again.")
        snakemake_inside.make_again(workflow, path)
    if is_run:
        source_states.keep_states(STATES_OF_FILMS, STATES)
        STORES.keep(STORED)
    # Links to nodes' scratch, which killed jobs left; with a lock there they may be those
    # of another run.
    if any(scratch.find_links(RESULTS)):
        if is_run and not any(Path(".snakemake/locks").glob("*")):
            scratch.drop_links(RESULTS)
        else:
            snakemake_inside.see_through_links(workflow)
    elif not cut_off and asks_for_all():
        PROGRESS.finished = get_finished().find()
        if PROGRESS.finished is not None:
            snakemake_inside.ask_for_nothing(workflow)


def asks_for_all():
    """Whether all that is old is to be made, and on no other grounds."""
    return not (IS_MODULE or ASKED_FOR) and snakemake_inside.is_usual(workflow)


@functools.cache
def get_finished():
    """What is kept of when all was done, by all that decides whether it is."""
    return finished.Finished(
        Path(".snakemake/finished", RESULTS).with_suffix(".json"),
        RESULTS,
        SCRIPTS.parent,
        given=[
            [sys.version, snakemake_version, describe_versions()],
            {key: value for key, value in config.items() if key != "about"},
            [film._replace(kind=film.kind.name) for film in FILMS.values()],
            [UNREADABLE, OTHERS, STATES_OF_FILMS],
            sorted(map(str, workflow.dag_settings.rerun_triggers)),
        ],
    )


def keep_finished():
    """Keep for the next run that all is done: then it looks at no job."""
    is_known = PROGRESS.finished is not None
    if is_known or workflow.dryrun or not asks_for_all():
        return
    jobs = list(workflow.dag.jobs)
    made = (
        output for job in jobs for output in job.output if output not in job.temp_output
    )
    # What somebody removed while the run went on, it finds.
    if all(os.path.exists(path) for path in made):
        inputs = (str(path) for job in jobs for path in job.input)
        get_finished().keep(inputs, PROGRESS.find_targets())


def runs_here():
    """Whether jobs run on this machine, and in the environment of Snakemake itself."""
    others = workflow.deployment_settings.deployment_method
    return workflow.executor_plugin.name == "local" and not others


def check_files():
    """Refuse to begin where results cannot be written, or what is needed not be read."""
    jobs = list(workflow.dag.needrun_jobs())
    films = {job.wildcards_dict.get("film") for job in jobs} - {None}
    mosaics = {job.wildcards_dict.get("mosaic") for job in jobs} - {None}
    try:
        corpus.check_folders(RESULTS, films)
        check_targets(sorted(mosaics), config)
        if runs_here() and any(job.rule.name == "render_posters" for job in jobs):
            # Not before: it imports matplotlib.
            from reelbow.barcode.paper import check_fonts

            check_fonts(config["posters"])
    except ReelbowError as error:
        refuse(str(error))


def compile_kernels():
    """Compile what the jobs of this run will need, if they run here and as this does."""
    if not runs_here():
        return
    kernels = set()
    for job in workflow.dag.needrun_jobs():
        name = job.rule.name
        if name in ["plan_shards", *STAGES]:
            if name != "cluster_shard" or config["downsample"]["height"] is None:
                kind = FILMS[job.wildcards_dict["film"]].kind
                is_linear = config["mean"]["space"] == "linear"
                kernels.add("pictures" if is_linear else kind.kernel)
                if kind.is_drawn:
                    kernels.add("strokes")
                if name != "extract_frames":
                    kernels.add("measures")
            if name in ["plan_shards", "cluster_shard"]:
                kernels.add("color_sums")
                kernels.add("palettes")
                if config["cluster"]["accents"]:
                    kernels.add("accents")
        if name == "sum_pixels":
            kernels.add("sums")
    if config["cluster"]["cpu_engine"] != "numba":
        kernels.discard("palettes")
    compiling.start_compiling(
        sorted(kernels),
        at_once=workflow.cores,
        say=lambda sentence: PROGRESS.say(f"Reelbow: {sentence}"),
    )


def merge_what_is_there():
    """Make the database of all films at the end of a run in which some failed."""
    asked = any(job.rule.name == "merge_films" for job in workflow.dag.needrun_jobs())
    if not asked or not PROGRESS.failed or not PROGRESS.lacks("merge_films"):
        return
    try:
        corpus.merge_what_is_there(
            RESULTS,
            list(FILMS),
            settings=get_corpus_settings(),
            n_colors=MOST_COLORS,
        )
        if (RESULTS / "palettes.sqlite").exists():
            tables.write_tables(
                RESULTS / "palettes.sqlite",
                films=RESULTS / "films.tsv",
                skipped=RESULTS / "skipped.tsv",
            )
            if config["search"]["index"]:
                # Not before: it imports NumPy.
                from reelbow.database.color_index import write_index

                write_index(RESULTS / "palettes.sqlite", RESULTS / "colors.sqlite")
    except (*corpus.UNREADABLE, MemoryError) as error:
        PROGRESS.say(f"Reelbow: {RESULTS / 'palettes.sqlite'} is not made: {error}")


def describe_what_is_there():
    """Say how films were made at the end of a run in which some failed."""
    database = RESULTS / "palettes.sqlite"
    if not config["provenance"] or not PROGRESS.failed or not database.exists():
        return
    try:
        # Only this run needs it, and an environment for jobs may have it.
        from reelbow.provenance.writing import write_provenance

        write_provenance(database, FILMS, compared=COMPARED)
    except (*corpus.UNREADABLE, MemoryError, ImportError) as error:
        PROGRESS.say(f"Reelbow: how films were made is not told: {error}")


def find_faults():
    """Why databases of films are not made, or not made again.

    That of a film is, of which a picture or a page failed.
    """
    return {
        failure.film: failure.ended
        for failure in PROGRESS.failed.values()
        if failure.stage in ("find_source", "plan_shards", *STAGES, "merge_film")
    }


def show_what_is_there():
    """Write the page of all films at the end of a run in which some failed."""
    asked = any(job.rule.name == "write_index" for job in workflow.dag.needrun_jobs())
    if not asked or not PROGRESS.failed or not PROGRESS.lacks("write_index"):
        return
    page = RESULTS / "index.html"
    try:
        # What it imports only this run needs, and an environment for jobs may have it.
        from reelbow.explorer.index_page import write_page

        with atomic_write(page) as temporary:
            write_page(
                temporary,
                list(FILMS),
                pages_follow=False,
                others=OTHERS,
                faults=UNREADABLE | find_faults(),
                drawing=get_wall_drawing(),
                code=get_code("write_index", "kmeans.engine_numba"),
                old=page,
            )
        # The next run makes it again.
        mark_as_old(page)
    except (*corpus.UNREADABLE, MemoryError, ImportError) as error:
        PROGRESS.say(f"Reelbow: {page} is not made: {error}")


def tell_corpus():
    """Say what the database of all films has and what not, if this run was to make it."""
    if PROGRESS.lacks("merge_films") and not PROGRESS.failed:
        return
    is_old = ("merge_films",) in PROGRESS.failed
    films = [*FILMS, *UNREADABLE]
    for sentence in corpus.describe(RESULTS, films, find_faults(), is_old=is_old):
        PROGRESS.say(f"Reelbow: {sentence}")


def tell_outdated():
    """Say what of earlier runs does not fit these results, or the configuration."""
    wanted = (get_exports, get_provenance, get_comparisons, get_mosaics)
    asked = [each(None) for each in wanted]
    asked = {Path(path) for paths in asked for path in paths}
    if outdated := describe_outdated(RESULTS, FILMS, asked):
        PROGRESS.say(f"Reelbow: {outdated}")
    asked.update(map(Path, workflow.dag_settings.targets))
    if unasked := describe_unasked(RESULTS, asked):
        PROGRESS.say(f"Reelbow: {unasked}")


def tell_lacking_mosaics():
    """Say which mosaics were not made since other jobs failed."""
    why = "since what it is made of failed"
    if find_faults() and config["errors"]["missing_shards"] == "fail":
        why = (
            "since it is of all films; with errors.missing_shards at skip it is made of "
            "what there is"
        )
    left = {job.wildcards_dict.get("mosaic") for job in workflow.dag.needrun_jobs()}
    for name in config["mosaics"]:
        has_failed = ("assign_tiles", name) in PROGRESS.failed
        if name in left and not has_failed and PROGRESS.lacks("render_mosaic", name):
            PROGRESS.say(f"Reelbow: mosaic {name} is not made, {why}.")


def tell_mosaics():
    """Say of which mosaics tiles are not as they should be."""
    for sentence in describe_mosaics(RESULTS, config):
        PROGRESS.say(f"Reelbow: {sentence}")


def tell_verified():
    """Say what was verified, or made anew to be compared, if that was asked for."""
    for job in workflow.dag.targetjobs:
        if job.rule.name in ("verify", "audit"):
            first, *_ = Path(job.log[0]).read_text(encoding="utf-8").splitlines()
            PROGRESS.say(f"Reelbow: {first}.")


def weigh_job(job):
    """Seconds that a job, named with its wildcards, takes by what is planned."""
    name, *values = job
    name = AUDITS.get(name, name)
    if name == "all":
        return 0.1
    names = ["film", "shard" if name in SHARD_RULES else "kind"]
    if name in ("assign_tiles", "render_mosaic"):
        names = ["mosaic"]
    # Of render_barcodes there is but a film.
    size = get_size(SimpleNamespace(**dict(zip(names, values))))
    return needs.estimate_s(name, size, config)


def expect_films(films):
    """What is to come of films that are not planned yet."""
    return pace.expect_films(
        films,
        mode=config["sampling"]["mode"],
        every=config["sampling"]["every"],
        per_shard=config["shards"]["frames"],
    )


# What a report says beside the configuration.
config["about"] = {
    "version": __version__,
    "failed": failures.read_table(RESULTS / "failed.tsv"),
}

# In all processes: each job prepares its own outputs.
keep_until_replaced(
    FileBackupMixin,
    RESULTS,
    kept=["palettes.sqlite", "colors.sqlite", "index.html"],
    dropped=["plan.json", *PICTURES],
)

if workflow.is_main_process:
    snakemake_inside.build_faster()
    call_before(workflow, snakemake_inside.BUILD_DAG, look_at_results)
    call_before(workflow, snakemake_inside.REPORT, lambda: ASKED_FOR.add("report"))
    call_before(workflow, snakemake_inside.UNLOCK, slurm.unlock)

if not IS_MODULE:
    PROGRESS = progress.Progress(
        logger,
        workflow,
        films=FILMS,
        weigh=weigh_job,
        expect=expect_films,
        keep_finished=keep_finished,
        gpu_wait_min=config["cluster"]["gpu_wait_min"],
    )
    # The terminal sends Ctrl-C to jobs too; those that are just starting would tell of
    # it in Python's way. Reelbow ends them itself.
    shell.prefix("set -euo pipefail; trap '' INT; ")
    if workflow.is_main_process:
        PROGRESS.listen()
