"""What is for clusters leaves local runs as they are."""

import os

from projects import FINISHED, name_jobs
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
