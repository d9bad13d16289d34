"""The paragraph for a methods section, for settings of every kind."""

import re

import pytest

from makings import describe, describe_tarballs
from reelbow.kmeans import number_of_colors
from reelbow.provenance import methods
from reelbow.provenance.methods import describe_methods, write_methods
from reelbow.provenance.record import Compared, Engine
from reelbow.provenance.references import REFERENCES


def write(*films) -> str:
    text, _ = describe_methods(films)
    return text


def test_a_usual_film_is_a_paragraph_to_paste():
    assert write(describe()) == (
        "Color palettes of 120 frames of *The Lake* were computed with Reelbow 0.2.0 "
        "(The Reelbow developers 2026), a workflow for Snakemake 9.27.1 (Mölder et al. "
        "2021). The video was decoded by FFmpeg (FFmpeg developers) through PyAV "
        "18.1.0 (PyAV developers), and one frame was taken every second, the one on "
        "screen at that time. Black bars that stay at the edges of the picture "
        "(letterbox, pillarbox) were looked for automatically; there are none. Decoded "
        "values were converted to sRGB (IEC 61966-2-1:1999) from limited range by the "
        "matrix of BT.709 (Rec. ITU-R BT.709-6). Mean colors are averages of sRGB "
        "values over all pixels of the full-size picture. Palettes were found on "
        "pictures of 90 rows (fewer where the film has fewer), each pixel an average "
        "over its area of the full-size picture. Each frame was reduced to 8 colors "
        "(fewer where it has fewer distinct ones) by k-means clustering (Lloyd 1982) "
        "in OKLab (Ottosson 2020); the best of 5 starts was kept, and the seed is 0. "
        "k-means is Reelbow's own implementation on a weighted histogram of the "
        "frame's colors, of 6 bits a channel, or of every color where these are few, "
        "with greedy k-means++ seeding (Arthur and Vassilvitskii 2007), compiled by "
        "Numba 0.68.1 (Lam et al. 2015)."
    )


@pytest.mark.parametrize(
    ("row", "taken"),
    [
        ({"every": 0.5}, "one frame was taken every 0.5 seconds, the one on screen"),
        ({"every": 120.0}, "one frame was taken every 2 minutes, the one on screen"),
        ({"sampling": "frames", "every": 24.0}, "and every 24th frame was taken."),
        ({"sampling": "frames"}, "and every frame was taken."),
        ({"sampling": "keyframes"}, "and every keyframe was taken."),
        ({"sampling": "keyframes", "every": 3.0}, "and every 3rd keyframe was taken."),
    ],
)
def test_sampling_is_told(row, taken):
    assert taken in write(describe(row))


@pytest.mark.parametrize(
    ("color", "told"),
    [
        ("black", "in black on white"),
        ("strokes", "in the colors of Turbo, in turn, on"),
    ],
)
def test_sketches_are_drawn_and_not_decoded(color, told):
    settings = {
        "sketches.size": 256,
        "sketches.thickness": 0.025,
        "sketches.color": color,
    }
    none = {"sampling": None, "matrix": None, "color_range": None, "transfer": None}
    text = write(describe({**none, "primaries": None}, settings))
    assert "120 images of *The Lake*" in text
    assert told in text
    assert "256x256 pixels, as lines 6.4 pixels wide with round caps" in text
    assert "The whole picture was measured" in text
    assert not re.search("tarball|decoded|ICC|FFmpeg|bars", text)


def test_images_of_tarballs_are_no_video():
    text = write(describe_tarballs())
    assert "120 images of *The Tapes*" in text
    assert (
        "Every image in 2 tarballs counts as a frame; images were decoded by "
        "simplejpeg 1.9.0 (Folz) and Pillow 13.0.0 (Clark and contributors)." in text
    )
    assert "by their ICC profiles (ISO 15076-1:2010), and taken as sRGB" in text
    assert "FFmpeg" not in text
    assert "matrix" not in text


def test_where_films_differ_they_are_named_up_to_three():
    wide = {"title": "Wide", "matrix": "bt2020", "crop": "1920:800:0:140"}
    films = [describe(), describe(wide, n_read=80), describe_tarballs()]
    text = write(*films)
    assert (
        "320 frames of *The Lake*, *Wide* and *The Tapes* (80 to 120 of each)" in text
    )
    assert "In *The Lake* and *Wide*, videos were decoded" in text
    assert "In *The Tapes*, every image" in text
    assert "they were found in *Wide* and cropped." in text
    assert "BT.709 (Rec. ITU-R BT.709-6) in *The Lake*; from limited range" in text
    many = [describe({"title": f"{n}"}) for n in range(4)] + films
    text = write(*many)
    assert "of 7 films (80 to 120 of each)" in text
    assert "In 6 of the 7 films, videos were decoded" in text


def test_stretches_missing_pictures_and_damage_are_told():
    cut = describe(
        {"start_s": 5.0, "end_s": 3723.5}, n_read=100, n_missing=20, n_lost=1
    )
    text = write(cut)
    assert "Only the stretch from 0:05 to 1:02:03.5 was sampled." in text
    assert "Of 120 sampled frames, 20 (16.7%) could not be read and are left" in text
    assert "Of one damaged part (a tarball or a stretch of a video) only" in text
    few = write(describe(n_read=9999, n_missing=1))
    assert "Of 10,000 sampled frames, 1 (0.1%) could not be read and is left" in few


def test_films_of_which_nothing_was_read_are_named_and_no_more():
    text = write(describe(), describe({"title": "Gone"}, {}, n_read=0, engines={}))
    assert "120 frames of *The Lake* were" in text
    assert text.endswith("No frame of *Gone* could be read.")
    alone, cited = describe_methods([describe(n_read=0)])
    assert (alone, cited) == ("No frame of *The Lake* could be read.", [])


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {"trim_asked": "auto"},
            "ends that were given and what goes on for too long; nothing was left out.",
        ),
        (
            {"trim_asked": "auto", "trimmed_start": "black", "start_s": 3.0},
            "Only the stretch from 0:03 was sampled. Black, and titles and credits on "
            "black, were to be left out at both ends, but for ends that were given and "
            "what goes on for too long; that was found.",
        ),
        ({"crop_asked": "none"}, "The whole picture was measured."),
        ({"crop": "1920:800:0:140"}, "automatically; they were found and cropped."),
        (
            {"crop_asked": "1920:800:0:140", "crop": "1920:800:0:140"},
            "The picture was cropped to 1920x800 pixels, 0 from the left and 140 from "
            "the top.",
        ),
    ],
)
def test_the_crop_is_told(row, told):
    assert told in write(describe(row))


def test_what_a_film_does_not_say_is_told_as_assumed():
    text = write(describe({"assumed": "matrix,color_range,varies"}))
    assert (
        "The matrix and range are not stated in the file; those that video players "
        "assume were taken." in text
    )
    assert "Some pictures are coded otherwise than most" in text
    text = write(describe({"assumed": "matrix"}))
    assert "The matrix is not stated in the file; the one that video" in text
    rgb = write(describe({"matrix": "rgb", "color_range": "full"}))
    assert "to sRGB (IEC 61966-2-1:1999) from full range." in rgb


def test_hdr_is_told_with_its_standards():
    wide = {"matrix": "bt2020", "primaries": "bt2020"}
    text = write(describe({**wide, "transfer": "pq"}))
    assert (
        "The high dynamic range of PQ (SMPTE ST 2084:2014; Rec. ITU-R BT.2100-2) was "
        "compressed to that of SDR by the EETF of the ITU (Report ITU-R BT.2390-11), "
        "with diffuse white at 203 cd/m² (Report ITU-R BT.2408-7)." in text
    )
    assert "Colors of BT.2020 primaries (Rec. ITU-R BT.2020-2; Report" in text
    text = write(describe({**wide, "transfer": "hlg"}))
    assert "The high dynamic range of HLG (Rec. ITU-R BT.2100-2) was" in text
    assert "2084" not in text
    text = write(describe({"primaries": "p3"}))
    assert "Colors of P3 primaries (SMPTE RP 431-2:2011) were brought" in text


def test_means_and_sizes_are_told():
    text = write(describe(None, {"mean.space": "linear", "downsample.height": None}))
    assert "Mean colors are averages of linear light over all pixels" in text
    assert "Palettes were found on the pixels of the full-size picture." in text
    reduced = {"mean.exact": False}
    assert "at a reduced scale" in write(describe_tarballs(None, reduced))
    # It is for JPEGs only.
    assert "at a reduced scale" not in write(describe(None, reduced))


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ("srgb", "in sRGB; "),
        ("linear", "in linear RGB; "),
        ("oklab", "in OKLab (Ottosson 2020); "),
        ("cielab", "in CIE L\\*a\\*b\\* (D65) (ISO/CIE 11664-4:2019); "),
    ],
)
def test_the_color_space_is_told(space, told):
    assert told in write(describe(None, {"cluster.color_space": space}))


def test_numbers_of_colors_starts_and_the_seed_are_told():
    settings = {"cluster.n_colors": 1, "cluster.n_init": 1, "cluster.seed": 7}
    text = write(describe(None, settings))
    assert "reduced to 1 color (fewer" in text
    assert "there was a single start, and the seed is 7." in text


def test_a_chosen_number_of_colors_and_accents_are_told():
    settings = {
        **{"cluster.n_colors": "auto", "cluster.auto_colors": [2, 12]},
        "cluster.accents": 2,
    }
    text = write(describe(None, settings, n_colors=700, n_accents=34))
    assert "Each frame was reduced to as many colors as it needs by k-means" in text
    # (700 - 34) / 120
    assert (
        "The number of colors of each frame, 2 to 12, was chosen by the objective of "
        "DP-means (Kulis and Jordan 2012), at a cost of 0.0003 for each color in "
        "squared OKLab distance (Ottosson 2020), by merging the colors of a palette of "
        "12 in pairs (Ward 1963); its mean is 5.5." in text
    )
    assert "Accents were added to each palette, at most 2: small but" in text
    assert "(34 in all)." in text
    assert methods.COST == number_of_colors.COST


def test_how_shots_were_found_is_told():
    finding = {"detector": "adaptive", "threshold": None, "min_length_s": 0.6}
    versions = {"scenedetect": frozenset({"0.7.2"})}
    film = describe(finding=finding, n_shots=129, versions=versions)
    assert (
        "Cuts were looked for in every picture by PySceneDetect 0.7.2 (Castellano), "
        "where one differs in color far more than its neighbors do (adaptive), with a "
        "threshold of 3 and no cut within 0.6 s of the one before; 129 shots were "
        "found."
    ) in write(film)
    finding = {"detector": "hash", "threshold": 0.5, "min_length_s": 0.0}
    other = describe({"title": "B"}, finding=finding, n_shots=1)
    text = write(film, other)
    assert "no cut within 0 s of the one before; 1 shot was found." in text
    assert "PySceneDetect" not in write(describe())


def test_comparisons_are_told_and_cited_only_if_there_are_any():
    films = [describe(), describe({"film": "b", "title": "B"})]
    pair, matrix = Compared(["lake", "b"], True), Compared(["lake", "b"], False)
    text, cited = describe_methods(films, [pair])
    assert text.endswith(
        "*The Lake* and *B* were compared by the earth mover's distance of their "
        "palettes (Rubner et al. 2000) over CIEDE2000 (Sharma et al. 2005), computed "
        "by POT (Flamary et al. 2021); by the minimum color difference of these (Pan "
        "and Westland 2018); by the CIEDE2000 of mean colors aligned in time by "
        "dynamic time warping (Sakoe and Chiba 1978), by dtaidistance (Meert et al.); "
        "and by the structural similarity (SSIM) of their barcodes (Wang et al. 2004), "
        "by scikit-image (van der Walt et al. 2014)."
    )
    assert {"flamary2021", "meert", "wang2004"} <= set(cited)
    text, cited = describe_methods(films, [matrix])
    assert "2 films were compared, each with each, by the earth" in text
    assert "rubner2000" in cited
    assert not {"meert", "wang2004"} & set(cited)
    assert "2 pairs of films were compared by" in describe_methods(films, [pair] * 2)[0]
    # Of a film that this text does not tell of.
    for none in ([], [Compared(["lake", "c"], True)]):
        assert describe_methods(films, none) == describe_methods(films)
    assert "compared" not in write(*films)


def test_engines_are_told_with_their_part():
    cupy, numba = Engine(3, frozenset({"14.2.0"})), Engine(1, frozenset({"0.68.1"}))
    text = write(describe(engines={"cupy": cupy}))
    assert "run on a GPU by CuPy 14.2.0 (Okuta et al. 2017)." in text
    assert "Numba" not in text
    text = write(describe(engines={"cupy": cupy, "numba": numba}))
    assert (
        "compiled by Numba 0.68.1 (Lam et al. 2015) for 1 of 4 parts of the films and "
        "run on a GPU by CuPy 14.2.0 (Okuta et al. 2017) for 3 of 4 parts of the "
        "films; both give the same bits." in text
    )
    text = write(describe(engines={"sklearn": Engine(1, frozenset({"1.9.1"}))}))
    assert (
        "k-means is that of scikit-learn 1.9.1 (Pedregosa et al. 2011) on every pixel"
        in text
    )
    assert "Reelbow's own" not in text
    text, cited = describe_methods(
        [describe(engines={"cuml": Engine(1, frozenset({"26.10.0"}))})]
    )
    assert "RAPIDS cuML 26.10.0 (Raschka et al. 2020) on every pixel, on a GPU" in text
    assert "arthur2007" not in cited
    assert "bahmani2012" in cited


def test_several_versions_are_all_told():
    film = describe()
    film.versions["av"] = frozenset({"18.1.0", "18.0.0"})
    assert "PyAV 18.0.0 and 18.1.0 (PyAV developers)" in write(film)


def test_the_page_lists_films_settings_versions_and_just_what_it_cites():
    films = [describe({"crop": "1920:800:0:140"}), describe_tarballs(n_missing=3)]
    text, cited = write_methods(films)
    paragraph, keys = describe_methods(films)
    assert f"\n\n{paragraph}\n\n## Films" in text
    assert cited == keys
    assert (
        f"| lake | The Lake | films/lake.mkv | `{films[0].row.digest}` | 120 | 0 | "
        "every second | all | 1920x1080 | 1920:800:0:140 | bt709 limited sdr bt709 |"
        in text
    )
    assert (
        "| tapes | The Tapes | tapes/\\*.tar | 2 tarballs | 120 | 3 | every image | "
        "all | 1920x1080 | all | as images |" in text
    )
    assert "| `cluster.n_colors` | `8` | of all films |" in text
    assert "| `sampling.every` | `1.0` | in *The Lake* |" in text
    assert "snakemake 9.27.1" in text
    listed = text.partition("## References\n\n")[2].partition("\n\n")[0]
    assert len(listed.splitlines()) == len(cited)
    for key in REFERENCES:
        assert (REFERENCES[key].cited in paragraph) == (key in cited)


def test_films_that_are_named_like_markup_are_shown_as_they_are():
    title = "<b>x|y</b> [a](b) _c_ *d* `e` $5 snake_case \\ #1"
    text, _ = write_methods([describe({"title": title, "source": "a|b*.mkv"})])
    shown = (
        "\\<b\\>x\\|y\\</b\\> \\[a\\](b) \\_c\\_ \\*d\\* \\`e\\` \\$5 snake_case \\\\ "
        "\\#1"
    )
    assert f"of *{shown}* were" in text
    (row,) = re.findall(r"^\| lake .*", text, re.M)
    # No cell more than there are columns.
    assert len(re.findall(r"(?<!\\)\|", row)) == 12
    assert "| a\\|b\\*.mkv |" in row
