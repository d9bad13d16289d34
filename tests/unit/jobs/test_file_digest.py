import pytest

from reelbow.jobs.file_digest import CHUNK_BYTES, CHUNKS_BETWEEN, digest_file

LARGE = 3 * (CHUNKS_BETWEEN + 2) * CHUNK_BYTES


def test_a_moved_file_has_the_digest_that_it_had(tmp_path):
    path = tmp_path / "film.mkv"
    path.write_bytes(bytes(range(256)) * 10)
    before = digest_file(path)
    moved = path.rename(tmp_path / "moved.mkv")
    assert digest_file(moved) == before


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, 4 << 20, LARGE])
@pytest.mark.parametrize("place", ["first", "last", "size"])
def test_its_ends_and_its_size_count(tmp_path, size, place):
    path = tmp_path / "film.mkv"
    data = bytearray(size)
    path.write_bytes(data)
    before = digest_file(path)
    match place:
        case "first":
            data[0] = 1
        case "last":
            data[-1] = 1
        case "size":
            data.append(0)
    path.write_bytes(data)
    assert digest_file(path) != before


def test_of_a_small_file_every_byte_counts_and_of_a_large_one_some(tmp_path):
    path = tmp_path / "film.mkv"
    digests = set()
    for place in range(0, 4 << 20, 100_003):
        data = bytearray(4 << 20)
        data[place] = 1
        path.write_bytes(data)
        digests.add(digest_file(path))
    assert len(digests) == len(range(0, 4 << 20, 100_003))
    # A film that is coded anew differs in each stretch of some hundred kilobytes.
    data = bytearray(LARGE)
    path.write_bytes(data)
    before = digest_file(path)
    data[LARGE // 2 : LARGE // 2 + LARGE // CHUNKS_BETWEEN] = bytes(
        [1] * (LARGE // CHUNKS_BETWEEN)
    )
    path.write_bytes(data)
    assert digest_file(path) != before
