"""Which shards an audit makes anew."""

from reelbow.runs.auditing import choose_shards

SHARDS = [(film, f"{shard:05d}") for film in "ab" for shard in range(100)]


def test_a_share_of_shards_is_chosen_and_at_least_one():
    some = choose_shards(SHARDS, share=0.1, seed=0)
    assert len(some) == 20
    assert some == sorted(some)
    assert {film for film, _ in some} == {"a", "b"}
    assert len(choose_shards(SHARDS, share=1e-9, seed=0)) == 1
    assert choose_shards(SHARDS, share=1, seed=0) == SHARDS
    assert choose_shards([], share=1, seed=0) == []


def test_the_seed_alone_decides_which():
    some = choose_shards(SHARDS, share=0.1, seed=0)
    assert choose_shards(SHARDS[::-1], share=0.1, seed=0) == some[::-1]
    assert choose_shards(SHARDS, share=0.1, seed=1) != some
