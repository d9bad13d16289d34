"""The results as an RO-Crate: films, settings, versions and outputs, for machines.

It follows the profile Process Run Crate 0.5 of the Workflow Run RO-Crate family: the
run is an action of Reelbow's, with the films and settings as its objects and the files
as its results. Reelbow itself is not part of the folder, as the family's other profiles
want a workflow to be.

References
----------
S. Soiland-Reyes et al., "Packaging research artefacts with RO-Crate", 2022.
S. Leo et al., "Recording provenance of workflow runs with RO-Crate", 2024.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from reelbow.provenance.files import OF_A_FILM, OF_ALL_FILMS, FileKind, list_files
from reelbow.provenance.record import FilmMaking, find_versions

# What the profile asks for.
VERSION = "1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

# Folders whose files are listed one by one: they are few.
_LISTED = ("barcodes", "tables")

_FORMATS = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".eaf": "text/x-eaf+xml",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".otio": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".vtt": "text/vtt",
}


def make_crate(
    films: Sequence[FilmMaking],
    results: Path,
    *,
    description: str,
) -> dict[str, Any]:
    """Describe a results folder, as the JSON-LD object of ro-crate-metadata.json.

    Parameters
    ----------
    films : whose folders are in `results`
    results : with all that the run makes
    description : of how it was made
    """
    crate = ROCrate(version=VERSION)
    started = [film.started_at for film in films if film.started_at]
    ended = [film.ended_at for film in films if film.ended_at]
    root = crate.root_dataset
    crate.name = "Color palettes and barcodes of films"
    crate.description = description
    if ended:
        # The same results give the same crate.
        root["datePublished"] = max(ended)
    root["conformsTo"] = _add(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    crate.license = _add(
        crate,
        "#license",
        "CreativeWork",
        name="No license is stated",
        description="Whoever publishes these results chooses one. Films have rights of "
        "their own, which may also cover pictures that show their frames.",
    )
    action = _add(
        crate,
        "#run",
        "CreateAction",
        name="Palettes and barcodes of films, made by Reelbow",
        description=description,
        instrument=_add_reelbow(crate, films),
        object=[*_add_films(crate, films), *_add_settings(crate, films)],
        result=[*_add_outputs(crate, films, results)],
        actionStatus="http://schema.org/CompletedActionStatus",
        **({"startTime": min(started), "endTime": max(ended)} if started else {}),
    )
    root["mentions"] = action
    described: dict[str, Any] = crate.metadata.generate()
    return described


def _add(crate: ROCrate, place: str, kind: str, **properties: Any) -> Entity:
    entity = ContextEntity(crate, place, properties={"@type": kind})
    for key, value in properties.items():
        entity[key] = value
    return crate.add(entity)


def _add_reelbow(crate: ROCrate, films: Sequence[FilmMaking]) -> Entity:
    versions = find_versions(films)
    own = versions.pop("reelbow", ["unknown"])
    return _add(
        crate,
        "#reelbow",
        "SoftwareApplication",
        name="Reelbow",
        description="Color palettes and movie barcodes of films",
        softwareVersion=", ".join(own),
        softwareRequirements=[
            f"{name} {', '.join(those)}" for name, those in versions.items()
        ],
    )


def _add_films(crate: ROCrate, films: Sequence[FilmMaking]) -> Iterator[Entity]:
    for film in films:
        about = film.row
        name = f"#film/{quote(about.film)}"
        tarballs = [
            _add(
                crate,
                f"{name}/{quote(path)}",
                "CreativeWork",
                name=path,
                **({"identifier": digest} if digest else {}),
            )
            for path, digest in film.tarballs.items()
        ]
        work = _add(
            crate,
            name,
            "CreativeWork",
            name=about.title,
            alternateName=about.source,
            **({"identifier": about.digest} if about.digest else {}),
        )
        _set_parts(work, tarballs)
        yield work


def _add_settings(crate: ROCrate, films: Sequence[FilmMaking]) -> Iterator[Entity]:
    found: dict[tuple[str, str], list[str]] = {}
    for film in films:
        for key, value in film.settings.items():
            found.setdefault((key, json.dumps(value)), []).append(film.row.film)
    n_values: dict[str, int] = {}
    for (key, value), those in sorted(found.items()):
        n_values[key] = number = n_values.get(key, 0) + 1
        of_some = {"description": f"of {', '.join(those)}"}
        yield _add(
            crate,
            f"#setting/{key}" + (f"/{number}" if number > 1 else ""),
            "PropertyValue",
            name=key,
            value=value,
            **(of_some if len(those) < len(films) else {}),
        )


def _add_outputs(
    crate: ROCrate, films: Sequence[FilmMaking], results: Path
) -> Iterator[Entity]:
    for path, kind in list_files(results, OF_ALL_FILMS):
        yield _add_output(crate, results, path, kind)
    for film in films:
        folder = results / film.row.film
        if not folder.is_dir():
            continue
        part = crate.add_dataset(
            dest_path=f"{film.row.film}/",
            properties={"name": film.row.title, "description": "what is of this film"},
        )
        outputs = [
            _add_output(crate, results, path, kind)
            for path, kind in list_files(folder, OF_A_FILM)
            if kind.is_for_readers
        ]
        _set_parts(part, outputs)
        yield from outputs


def _set_parts(whole: Entity, parts: Sequence[Entity]) -> None:
    """Say what is part of an entity; RO-Crate wants no list of one."""
    if parts:
        whole["hasPart"] = parts[0] if len(parts) == 1 else parts


def _add_output(crate: ROCrate, results: Path, path: Path, kind: FileKind) -> Entity:
    """Add a file, or a folder with those of its files that are listed."""
    place = path.relative_to(results).as_posix()
    if not path.is_dir():
        return _add_file(crate, results, path, kind.what)
    folder = crate.add_dataset(
        dest_path=f"{place}/", properties={"name": path.name, "description": kind.what}
    )
    if path.name in _LISTED:
        files = [each for each in sorted(path.iterdir()) if each.name[0] != "."]
        _set_parts(folder, [_add_file(crate, results, each, "") for each in files])
    return folder


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add_file(crate: ROCrate, results: Path, path: Path, what: str) -> Entity:
    properties: Mapping[str, str] = {
        "name": path.name,
        "description": what,
        "encodingFormat": _FORMATS.get(path.suffix, ""),
        # What is still being written has no size that lasts.
        "contentSize": str(path.stat().st_size),
        "sha256": _digest(path),
    }
    return crate.add_file(
        dest_path=path.relative_to(results).as_posix(),
        properties={key: value for key, value in properties.items() if value},
    )
