"""Writes how the films of a results folder were made, into that folder."""

import json
from collections.abc import Collection
from pathlib import Path

from reelbow.jobs.files import atomic_write
from reelbow.provenance.film_readme import write_readme
from reelbow.provenance.methods import describe_methods, write_methods
from reelbow.provenance.record import read_compared, read_makings
from reelbow.provenance.references import write_bibtex

METHODS = "methods.md"
BIBLIOGRAPHY = "CITATION.bib"
CRATE = "ro-crate-metadata.json"
README = "README.md"


def write_provenance(
    database: Path, films: Collection[str], *, compared: Collection[str] = ()
) -> None:
    """Write methods, bibliography and RO-Crate beside the database of all films.

    Parameters
    ----------
    films : that get a README, in their folders beside the database
    compared : names of comparisons, as `a--b` or `matrix`; those not made are not told
    """
    # Its import takes as long as all the rest.
    from reelbow.provenance.crate import make_crate

    results = database.parent
    makings = read_makings(database)
    for making in makings:
        if making.row.film in films:
            folder = results / making.row.film
            _write(folder / README, write_readme(making, folder))
    comparisons = read_compared(results / "comparisons", compared)
    text, cited = write_methods(makings, comparisons)
    _write(results / METHODS, text)
    _write(results / BIBLIOGRAPHY, write_bibtex(cited))
    paragraph, _ = describe_methods(makings, comparisons)
    crate = make_crate(makings, results, description=paragraph)
    _write(results / CRATE, json.dumps(crate, indent=1, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
