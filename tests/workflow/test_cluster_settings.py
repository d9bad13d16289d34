"""What is for clusters leaves local runs as they are; and how colors are clustered."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from projects import FINISHED, NO_PAGES, name_jobs, name_merges, write_tarball
from reelbow.machine.scratch import MEMORY
from reelbow.shards.names import STAGES


def test_links_to_a_node_that_a_killed_run_left_are_done_again(copied, finished):
    film = copied.folder / "results/colors"
    (film / "palettes/00001.sqlite").unlink()
    # On this machine too, as where the head is a node.
    own = MEMORY / f"reelbow-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    place = own / f"test-{os.getpid()}.npz"
    place.write_bytes(b"half of a shard of another node")
    try:
        (film / "thumbnails").mkdir(exist_ok=True)
        (film / "thumbnails/00001.npz").symlink_to(place)
        result = copied.make(**FINISHED)
    finally:
        place.unlink()
    assert result.jobs >= name_jobs(STAGES, "colors", "00001")
    assert copied.rows() == finished.rows()
    assert not (film / "thumbnails/00001.npz").is_symlink()


def test_accents_are_in_the_database_and_in_the_picture(project):
    # A gray street; in the second frame somebody has a red coat.
    street = np.tile(np.linspace(20, 235, 160, dtype=np.uint8)[:, None], (90, 1, 3))
    coat = street.copy()
    coat[30:50, 60:80] = (30, 30, 200)
    pictures = [cv2.imencode(".png", picture)[1] for picture in (street, coat)]
    write_tarball(
        project.folder / "street.tar",
        {f"{i}.png": picture.tobytes() for i, picture in enumerate(pictures)},
    )
    how = {
        "films": "street.tar",
        "downsample": {"keep": True},
        **NO_PAGES,
        "barcodes": {
            "kinds": ["stacked"],
            "order": "share",
            "height": 200,
            "formats": ["svg"],
        },
    }
    cluster = {"n_colors": 4}
    project.make(**how, cluster=cluster)
    assert project.query("SELECT max(accent) FROM palettes") == [(0,)]
    result = project.make(**how, cluster=cluster | {"accents": 2})
    clustered = name_jobs(STAGES[-1:], "street", "street")
    assert result.jobs == {
        *clustered,
        *name_merges("street"),
        "render_barcodes/street",
    }
    accents = "SELECT frame, rank, color, share FROM palettes WHERE accent"
    share = 400 / 14400
    ((frame, rank, color, found),) = project.query(accents)
    assert (frame, rank, color) == (1, 4, 0xC81E1E)
    assert found == pytest.approx(share)
    assert project.query("SELECT color4, color5 FROM images WHERE frame = 1") == [
        (0xC81E1E, None)
    ]
    barcodes = project.folder / "results/street/barcodes"
    with Image.open(barcodes / "stacked.png") as image:
        red = np.asarray(image)[..., 0] == 0xC8
    assert red.sum(axis=0).tolist() == [0, round(share * 200)]
    assert (
        "4 colors and up to 2 accents in sRGB" in (barcodes / "stacked.svg").read_text()
    )
