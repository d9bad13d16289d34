import pytest

from reelbow.errors import ReelbowError
from reelbow.runs.comparisons import find_pair, find_pairs

FILMS = ["dracula", "faust", "1927"]


def test_pairs_have_the_names_of_their_files():
    assert find_pairs([["dracula", "faust"], ["faust", 1927]], FILMS) == {
        "dracula--faust": ("dracula", "faust"),
        "faust--1927": ("faust", "1927"),
    }
    assert find_pairs("all", FILMS) == find_pairs([], ["one"]) == {}


@pytest.mark.parametrize(
    ("compare", "sentence"),
    [
        (
            [["dracula", "fuast"]],
            "names film 'fuast', which is not among the films; did you mean 'faust'?",
        ),
        (
            [["x", "faust"]],
            "names film 'x', which is not among the films; give the id of one of them",
        ),
        ([["faust", "faust"]], "has film 'faust' against itself; name two films"),
        (
            [["faust", "dracula"], ["dracula", "faust"]],
            "has the pair of 'dracula' and 'faust' twice; leave one out",
        ),
        (
            ["dracula", "faust"],
            "has 'dracula', should be all, or pairs of films as [[a, b], [a, c]]",
        ),
        (
            [["dracula"]],
            "has ['dracula'], should be all, or pairs of films as [[a, b], [a, c]]",
        ),
    ],
)
def test_other_pairs_are_refused_in_one_sentence(compare, sentence):
    with pytest.raises(ReelbowError) as caught:
        find_pairs(compare, FILMS)
    assert str(caught.value) == f"config: compare {sentence}"


def test_pairs_whose_files_cannot_be_are_refused():
    films = ["a", "b--c", "a--b", "c", "d" * 120, "e" * 120]
    with pytest.raises(
        ReelbowError, match=r"two pairs whose file would be a--b--c.json"
    ):
        find_pairs([["a", "b--c"], ["a--b", "c"]], films)
    with pytest.raises(ReelbowError, match="a name of 242 characters"):
        find_pairs([films[4:]], films)


def test_all_of_one_film_is_refused():
    with pytest.raises(ReelbowError, match="only one film; give two or more"):
        find_pairs("all", ["dracula"])


def test_a_pair_is_found_by_its_files_name():
    assert find_pair("dracula--faust", FILMS) == ("dracula", "faust")
    assert find_pair("a--b--c", ["a--b", "c"]) == ("a--b", "c")
    assert find_pair("a---b", ["a-", "b"]) == ("a-", "b")
    assert find_pair("faust--faust", FILMS) is None
    assert find_pair("faust--x", FILMS) is None
