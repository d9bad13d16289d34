import json

from databases import N_COLORS, ROW, merge, write_shard
from reelbow.database.merging import merge_films
from write_provenance import write_provenance

SETTINGS = {
    **{"mean.space": "srgb", "mean.exact": True, "downsample.height": 90},
    **{"cluster.n_colors": 3, "cluster.color_space": "oklab"},
    **{"cluster.n_init": 5, "cluster.seed": 0},
}


def test_all_is_written_beside_the_database_and_a_readme_of_each_film(tmp_path):
    shard = write_shard(
        tmp_path / "shard.sqlite",
        range(2),
        metadata={"settings": json.dumps(SETTINGS), "version/reelbow": "0.2.0"},
    )
    for film in ["demo", "other"]:
        (tmp_path / film).mkdir()
    film = merge([shard], [2], tmp_path / "demo/palettes.sqlite")
    row = ROW._replace(film="other")
    other = merge([shard], [2], tmp_path / "other/palettes.sqlite", row=row)
    merge_films([film, other], tmp_path / "palettes.sqlite", n_colors=N_COLORS)
    (tmp_path / "comparisons").mkdir()
    (tmp_path / "comparisons/matrix.json").write_text('{"films": ["demo", "other"]}')
    write_provenance(
        tmp_path / "palettes.sqlite", films=["demo"], compared=["matrix", "a--gone"]
    )
    written = (tmp_path / "methods.md").read_text(encoding="utf-8")
    assert "4 images of *The Demo* and *The Demo*" in written
    assert "3 colors" in written
    assert "2 films were compared, each with each" in written
    bibliography = (tmp_path / "CITATION.bib").read_text(encoding="utf-8")
    assert "@software{reelbow," in bibliography
    assert "@article{rubner2000," in bibliography
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text("utf-8"))
    names = {entity["@id"] for entity in crate["@graph"]}
    assert {"methods.md", "CITATION.bib", "demo/README.md"} <= names
    assert (tmp_path / "demo/README.md").read_text("utf-8").startswith("# The Demo\n")
    assert not (tmp_path / "other/README.md").exists()
