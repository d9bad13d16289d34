from databases import merge, write_shard
from write_index import write_index


def test_the_page_takes_its_own_old_entries(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    folder.mkdir()
    shard = write_shard(folder / "00000.sqlite", [0, 1])
    merge([shard], [2], folder / "palettes.sqlite")
    page = tmp_path / "index.html"

    def write(code):
        write_index(
            page,
            films=["a"],
            others=[],
            faults={"b": "gone"},
            drawing={"kind": "mean"},
            code=code,
        )
        return page.read_text()

    first = write("c")
    assert '"title":"The Demo"' in first
    assert '"fault":"gone"' in first
    # Nothing is drawn again.
    monkeypatch.setattr("reelbow.explorer.index_page.draw_barcode", None)
    again = write("c")
    data = 'id="films">'
    assert again.partition(data)[2] == first.partition(data)[2]
    assert [path.name for path in tmp_path.iterdir()].count("index.html") == 1
    assert len(list(tmp_path.iterdir())) == 2
