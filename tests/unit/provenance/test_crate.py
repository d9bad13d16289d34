"""The RO-Crate: whole, and as rocrate itself reads it back.

`.ci/check_crate` has it checked by the validator of RO-Crate's makers.
"""

import json
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from makings import describe, describe_tarballs
from reelbow.provenance.crate import PROFILE, make_crate

TITLE = 'Ä "film" <b> {"@id": "x"} \\ \u202e'


@pytest.fixture
def results(tmp_path) -> Path:
    for name in [
        *("palettes.sqlite", "films.tsv", "methods.md"),
        *("lake/palettes.sqlite", "lake/barcodes/strip.png", "lake/barcodes/strip.svg"),
        *("lake/plan.json", "lake/palettes/00000.sqlite", "lake/previews/00000.jpg"),
        *("tapes/palettes.sqlite", "tapes/barcodes/strip.png"),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


FILMS = [describe({"title": TITLE, "source": "lake.mkv"}), describe_tarballs()]


def write(results: Path) -> ROCrate:
    """Write a crate, check what RO-Crate asks of any, and read it by rocrate."""
    crate = make_crate(FILMS, results, description="how it was made")
    (results / "ro-crate-metadata.json").write_text(json.dumps(crate))
    graph = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(graph) == len(crate["@graph"])

    for entity in graph.values():
        assert entity["@type"]
        for value in entity.values():
            # Every link leads to an entity, or to a standard.
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    assert each["@id"] in {*graph, "https://w3id.org/ro/crate/1.1"}
    for name in ["name", "description", "datePublished", "license"]:
        assert graph["./"][name]
    return ROCrate(results)


def test_it_is_a_run_of_reelbow_s(results):
    crate = write(results)
    assert crate.root_dataset["conformsTo"].id == PROFILE
    action = crate.get("#run")
    assert crate.root_dataset["mentions"] is action
    assert action.type == "CreateAction"
    assert action["startTime"] == "2026-01-02T03:04:05+00:00"
    assert action["endTime"] == "2026-01-02T03:05:00+00:00"
    made_by = action["instrument"]
    assert made_by["softwareVersion"] == "0.2.0"
    assert "numba 0.68.1" in made_by["softwareRequirements"]
    assert "snakemake 9.27.1" in made_by["softwareRequirements"]


def test_it_has_films_with_their_digests_but_not_where_they_lie(results):
    write(results)
    text = (results / "ro-crate-metadata.json").read_text()
    assert str(results) not in text
    crate = ROCrate(results)
    lake, tapes = crate.get("#film/lake"), crate.get("#film/tapes")
    assert lake["name"] == TITLE
    assert lake["alternateName"] == "lake.mkv"
    assert lake["identifier"] == FILMS[0].row.digest
    parts = {part["name"]: part.get("identifier") for part in tapes["hasPart"]}
    assert parts == FILMS[1].tarballs
    objects = crate.get("#run")["object"]
    assert lake in objects
    assert tapes in objects


def test_it_has_the_settings_and_of_which_films_they_are(results):
    crate = write(results)
    settings = {
        each["name"]: (json.loads(each["value"]), each.get("description"))
        for each in crate.get("#run")["object"]
        if each.type == "PropertyValue"
    }
    assert settings["cluster.n_colors"] == (8, None)
    assert settings["cluster.color_space"] == ("oklab", None)
    assert settings["sampling.every"] == (1.0, "of lake")


def test_its_parts_are_the_files_that_are_there_and_for_readers(results):
    crate = write(results)
    parts = {part.id for part in crate.root_dataset["hasPart"]}
    assert parts == {
        *("palettes.sqlite", "films.tsv", "methods.md"),
        *("lake/", "lake/palettes.sqlite", "lake/previews/"),
        *("lake/barcodes/", "lake/barcodes/strip.png", "lake/barcodes/strip.svg"),
        *("tapes/", "tapes/palettes.sqlite"),
        *("tapes/barcodes/", "tapes/barcodes/strip.png"),
    }
    assert all((results / part).exists() for part in parts)
    assert crate.get("lake/palettes.sqlite")["contentSize"] == "5"
    assert crate.get("lake/barcodes/strip.svg")["encodingFormat"] == "image/svg+xml"
    made = {each.id for each in crate.get("#run")["result"]}
    assert {"palettes.sqlite", "lake/palettes.sqlite", "tapes/barcodes/"} <= made


def test_the_same_results_give_the_same_crate(results):
    first = make_crate(FILMS, results, description="")
    assert make_crate(FILMS, results, description="") == first


def test_films_of_which_nothing_could_be_read_are_in_it(results):
    gone = describe(
        {"film": "gone"}, n_read=0, engines={}, started_at=None, ended_at=None
    )
    crate = make_crate([gone], results, description="")
    names = {entity["@id"] for entity in crate["@graph"]}
    assert "#film/gone" in names
    assert "gone/" not in names
