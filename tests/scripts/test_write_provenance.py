import json

from databases import N_COLORS, merge, write_shard
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
    merge_films([film], tmp_path / "palettes.sqlite", n_colors=N_COLORS)
    write_provenance(tmp_path / "palettes.sqlite", films=["demo"])
    written = (tmp_path / "methods.md").read_text(encoding="utf-8")
    assert "2 images of *The Demo*" in written
    assert "3 colors" in written
    bibliography = (tmp_path / "CITATION.bib").read_text(encoding="utf-8")
    assert "@software{reelbow," in bibliography
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text("utf-8"))
    names = {entity["@id"] for entity in crate["@graph"]}
    assert {"methods.md", "CITATION.bib", "demo/README.md"} <= names
    assert (tmp_path / "demo/README.md").read_text("utf-8").startswith("# The Demo\n")
    assert not (tmp_path / "other/README.md").exists()
