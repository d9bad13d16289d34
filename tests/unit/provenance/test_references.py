"""The literature, as BibTeX and as a list."""

import re
from pathlib import Path

import pytest
import yaml

from reelbow.provenance.references import REFERENCES, write_bibtex, write_reference

CITATION = Path(__file__).parents[3] / "CITATION.cff"


def read_bibtex(text: str) -> dict[str, dict[str, str]]:
    """Read entries, each field in a line of its own."""
    entries = {}
    for kind, key, body in re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}\n", text, re.S):
        fields = [
            re.fullmatch(r"  (\w+) = \{(.*)\},", line) for line in body.split("\n")
        ]
        assert all(fields), body
        entries[key] = {"kind": kind} | {field[1]: field[2] for field in fields}
    return entries


def test_bibtex_has_just_the_entries_that_are_asked_for():
    text = write_bibtex(["reelbow", "molder2021", "bt709"])
    assert text.isascii()
    entries = read_bibtex(text)
    assert list(entries) == ["reelbow", "molder2021", "bt709"]
    assert entries["molder2021"]["author"].startswith('M{\\"o}lder, Felix and ')
    assert entries["bt709"]["number"] == "Rec. ITU-R BT.709-6"


@pytest.mark.parametrize("key", REFERENCES)
def test_every_reference_is_whole(key):
    text = write_bibtex([key])
    assert text.isascii()
    assert text.count("{") == text.count("}")
    (entry,) = read_bibtex(text).values()
    assert entry["author"]
    assert entry["title"].startswith("{")
    assert {"year", "url", "number"} & set(entry)
    listed = write_reference(key)
    assert listed.endswith(".")
    if "year" in entry:
        assert f" ({entry['year']}): " in listed
    if entry["kind"] == "article":
        assert {"journal", "volume"} <= set(entry)


def test_reelbow_is_cited_as_its_citation_file_says():
    citation = yaml.safe_load(CITATION.read_text())
    fields = REFERENCES["reelbow"].fields
    (author,) = citation["authors"]
    assert fields["author"] == f"{{{author['name']}}}"
    assert fields["title"] == citation["title"]
    assert fields["version"] == citation["version"]
    assert fields["year"] == str(citation["date-released"])[:4]
    assert REFERENCES["reelbow"].cited == f"{author['name']} {fields['year']}"


def test_authors_are_listed_as_in_a_paper():
    assert write_reference("arthur2007").startswith(
        "Arthur, David and Vassilvitskii, Sergei (2007): k-means++: the "
    )
    assert "van der Walt, St{\\'e}fan" in write_bibtex(["walt2014"])
    assert write_reference("molder2021").startswith("Mölder, Felix et al. (2021): ")
    assert "CIE 1976 L\\*a\\*b\\* colour" in write_reference("cielab")
