"""The literature that a description of methods cites, as text and as BibTeX."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reelbow import __version__
from reelbow.provenance.markdown import escape
from reelbow.text import join_words

# BibTeX itself reads ASCII only.
_LATEX = {"ö": '{\\"o}', "é": "{\\'e}", "ç": "{\\c{c}}"}


class Reference(NamedTuple):
    """A publication.

    Attributes
    ----------
    cited : how a sentence names it, in parentheses
    kind : of BibTeX's entries
    fields : of BibTeX, in their order; authors are joined by "and", and one in braces
        is no person
    """

    cited: str
    kind: str
    fields: Mapping[str, str]


def _standard(cited: str, by: str, year: str, title: str) -> Reference:
    """Make a reference of a standard, which is cited by its number."""
    number = {"number": cited}
    fields = {"author": f"{{{by}}}", "year": year, "title": title, **number}
    return Reference(cited, "techreport", {**fields, "institution": by})


_ITU = "International Telecommunication Union"
_SMPTE = "Society of Motion Picture and Television Engineers"

# CITATION.cff says the same; a test compares them.
REELBOW = Reference(
    "The Reelbow developers 2026",
    "software",
    {
        "author": "{The Reelbow developers}",
        "year": "2026",
        "title": "Reelbow: color palettes and movie barcodes of films, from a laptop "
        "to a cluster",
        "version": __version__,
    },
)

REFERENCES = {
    "reelbow": REELBOW,
    "molder2021": Reference(
        "Mölder et al. 2021",
        "article",
        {
            "author": "Mölder, Felix and Jablonski, Kim Philipp and Letcher, Brice and "
            "Hall, Michael B. and Tomkins-Tinch, Christopher H. and Sochat, Vanessa "
            "and Forster, Jan and Lee, Soohyun and Twardziok, Sven O. and Kanitz, "
            "Alexander and Wilm, Andreas and Holtgrewe, Manuel and Rahmann, Sven and "
            "Nahnsen, Sven and Köster, Johannes",
            "year": "2021",
            "title": "Sustainable data analysis with Snakemake",
            "journal": "F1000Research",
            "volume": "10",
            "number": "33",
            "doi": "10.12688/f1000research.29032.2",
        },
    ),
    "ffmpeg": Reference(
        "FFmpeg developers",
        "misc",
        {
            "author": "{FFmpeg developers}",
            "title": "FFmpeg",
            "url": "https://ffmpeg.org",
        },
    ),
    "pyav": Reference(
        "PyAV developers",
        "misc",
        {
            "author": "{PyAV developers}",
            "title": "PyAV: Pythonic bindings for FFmpeg's libraries",
            "url": "https://github.com/PyAV-Org/PyAV",
        },
    ),
    "pillow": Reference(
        "Clark and contributors",
        "misc",
        {
            "author": "Clark, Jeffrey A. and {contributors}",
            "title": "Pillow (PIL fork)",
            "url": "https://python-pillow.org",
        },
    ),
    "simplejpeg": Reference(
        "Folz",
        "misc",
        {
            "author": "Folz, Joachim",
            "title": "simplejpeg",
            "url": "https://github.com/jfolz/simplejpeg",
        },
    ),
    "pyscenedetect": Reference(
        "Castellano",
        "misc",
        {
            "author": "Castellano, Brandon",
            "title": "PySceneDetect: Python and OpenCV-based scene cut detection",
            "url": "https://www.scenedetect.com",
        },
    ),
    "lloyd1982": Reference(
        "Lloyd 1982",
        "article",
        {
            "author": "Lloyd, Stuart P.",
            "year": "1982",
            "title": "Least squares quantization in PCM",
            "journal": "IEEE Transactions on Information Theory",
            "volume": "28",
            "number": "2",
            "pages": "129--137",
            "doi": "10.1109/TIT.1982.1056489",
        },
    ),
    "arthur2007": Reference(
        "Arthur and Vassilvitskii 2007",
        "inproceedings",
        {
            "author": "Arthur, David and Vassilvitskii, Sergei",
            "year": "2007",
            "title": "k-means++: the advantages of careful seeding",
            "booktitle": "Proceedings of the Eighteenth Annual ACM-SIAM Symposium on "
            "Discrete Algorithms",
            "pages": "1027--1035",
        },
    ),
    "bahmani2012": Reference(
        "Bahmani et al. 2012",
        "article",
        {
            "author": "Bahmani, Bahman and Moseley, Benjamin and Vattani, Andrea and "
            "Kumar, Ravi and Vassilvitskii, Sergei",
            "year": "2012",
            "title": "Scalable k-means++",
            "journal": "Proceedings of the VLDB Endowment",
            "volume": "5",
            "number": "7",
            "pages": "622--633",
            "doi": "10.14778/2180912.2180915",
        },
    ),
    "lam2015": Reference(
        "Lam et al. 2015",
        "inproceedings",
        {
            "author": "Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley",
            "year": "2015",
            "title": "Numba: a LLVM-based Python JIT compiler",
            "booktitle": "Proceedings of the Second Workshop on the LLVM Compiler "
            "Infrastructure in HPC",
            "doi": "10.1145/2833157.2833162",
        },
    ),
    "pedregosa2011": Reference(
        "Pedregosa et al. 2011",
        "article",
        {
            "author": "Pedregosa, Fabian and Varoquaux, Gael and Gramfort, Alexandre "
            "and Michel, Vincent and Thirion, Bertrand and Grisel, Olivier and "
            "Blondel, Mathieu and Prettenhofer, Peter and Weiss, Ron and Dubourg, "
            "Vincent and Vanderplas, Jake and Passos, Alexandre and Cournapeau, David "
            "and Brucher, Matthieu and Perrot, Matthieu and Duchesnay, Edouard",
            "year": "2011",
            "title": "Scikit-learn: machine learning in Python",
            "journal": "Journal of Machine Learning Research",
            "volume": "12",
            "pages": "2825--2830",
        },
    ),
    "okuta2017": Reference(
        "Okuta et al. 2017",
        "inproceedings",
        {
            "author": "Okuta, Ryosuke and Unno, Yuya and Nishino, Daisuke and Hido, "
            "Shohei and Loomis, Crissman",
            "year": "2017",
            "title": "CuPy: a NumPy-compatible library for NVIDIA GPU calculations",
            "booktitle": "Proceedings of the Workshop on Machine Learning Systems "
            "(LearningSys) at NIPS",
        },
    ),
    "raschka2020": Reference(
        "Raschka et al. 2020",
        "article",
        {
            "author": "Raschka, Sebastian and Patterson, Joshua and Nolet, Corey",
            "year": "2020",
            "title": "Machine learning in Python: main developments and technology "
            "trends in data science, machine learning, and artificial intelligence",
            "journal": "Information",
            "volume": "11",
            "number": "4",
            "pages": "193",
            "doi": "10.3390/info11040193",
        },
    ),
    "kulis2012": Reference(
        "Kulis and Jordan 2012",
        "inproceedings",
        {
            "author": "Kulis, Brian and Jordan, Michael I.",
            "year": "2012",
            "title": "Revisiting k-means: new algorithms via Bayesian nonparametrics",
            "booktitle": "Proceedings of the 29th International Conference on Machine "
            "Learning",
        },
    ),
    "ward1963": Reference(
        "Ward 1963",
        "article",
        {
            "author": "Ward, Joe H.",
            "year": "1963",
            "title": "Hierarchical grouping to optimize an objective function",
            "journal": "Journal of the American Statistical Association",
            "volume": "58",
            "number": "301",
            "pages": "236--244",
            "doi": "10.1080/01621459.1963.10500845",
        },
    ),
    "ottosson2020": Reference(
        "Ottosson 2020",
        "misc",
        {
            "author": "Ottosson, Björn",
            "year": "2020",
            "title": "A perceptual color space for image processing",
            "url": "https://bottosson.github.io/posts/oklab/",
        },
    ),
    "rubner2000": Reference(
        "Rubner et al. 2000",
        "article",
        {
            "author": "Rubner, Yossi and Tomasi, Carlo and Guibas, Leonidas J.",
            "year": "2000",
            "title": "The earth mover's distance as a metric for image retrieval",
            "journal": "International Journal of Computer Vision",
            "volume": "40",
            "number": "2",
            "pages": "99--121",
            "doi": "10.1023/A:1026543900054",
        },
    ),
    "sharma2005": Reference(
        "Sharma et al. 2005",
        "article",
        {
            "author": "Sharma, Gaurav and Wu, Wencheng and Dalal, Edul N.",
            "year": "2005",
            "title": "The CIEDE2000 color-difference formula: implementation notes, "
            "supplementary test data, and mathematical observations",
            "journal": "Color Research and Application",
            "volume": "30",
            "number": "1",
            "pages": "21--30",
            "doi": "10.1002/col.20070",
        },
    ),
    "flamary2021": Reference(
        "Flamary et al. 2021",
        "article",
        {
            "author": "Flamary, Rémi and Courty, Nicolas and Gramfort, Alexandre and "
            "Alaya, Mokhtar Z. and Boisbunon, Aurélie and Chambon, Stanislas and "
            "Chapel, Laetitia and Corenflos, Adrien and Fatras, Kilian and Fournier, "
            "Nemo and Gautheron, Léo and Gayraud, Nathalie T. H. and Janati, Hicham "
            "and Rakotomamonjy, Alain and Redko, Ievgen and Rolet, Antoine and "
            "Schutz, Antony and Seguy, Vivien and Sutherland, Danica J. and Tavenard, "
            "Romain and Tong, Alexander and Vayer, Titouan",
            "year": "2021",
            "title": "POT: Python Optimal Transport",
            "journal": "Journal of Machine Learning Research",
            "volume": "22",
            "number": "78",
            "pages": "1--8",
            "url": "https://jmlr.org/papers/v22/20-451.html",
        },
    ),
    "pan2018": Reference(
        "Pan and Westland 2018",
        "inproceedings",
        {
            "author": "Pan, Qianqian and Westland, Stephen",
            "year": "2018",
            "title": "Comparative evaluation of color differences between color "
            "palettes",
            "booktitle": "26th Color and Imaging Conference",
            "pages": "110--115",
            "doi": "10.2352/ISSN.2169-2629.2018.26.110",
        },
    ),
    "sakoe1978": Reference(
        "Sakoe and Chiba 1978",
        "article",
        {
            "author": "Sakoe, Hiroaki and Chiba, Seibi",
            "year": "1978",
            "title": "Dynamic programming algorithm optimization for spoken word "
            "recognition",
            "journal": "IEEE Transactions on Acoustics, Speech, and Signal Processing",
            "volume": "26",
            "number": "1",
            "pages": "43--49",
            "doi": "10.1109/TASSP.1978.1163055",
        },
    ),
    "meert": Reference(
        "Meert et al.",
        "misc",
        {
            "author": "Meert, Wannes and Hendrickx, Kilian and Van Craenendonck, Toon "
            "and Robberechts, Pieter and Blockeel, Hendrik and Davis, Jesse",
            "title": "DTAIDistance",
            "url": "https://github.com/wannesm/dtaidistance",
        },
    ),
    "wang2004": Reference(
        "Wang et al. 2004",
        "article",
        {
            "author": "Wang, Zhou and Bovik, Alan C. and Sheikh, Hamid R. and "
            "Simoncelli, Eero P.",
            "year": "2004",
            "title": "Image quality assessment: from error visibility to structural "
            "similarity",
            "journal": "IEEE Transactions on Image Processing",
            "volume": "13",
            "number": "4",
            "pages": "600--612",
            "doi": "10.1109/TIP.2003.819861",
        },
    ),
    "walt2014": Reference(
        "van der Walt et al. 2014",
        "article",
        {
            "author": "van der Walt, Stéfan and Schönberger, Johannes L. and "
            "Nunez-Iglesias, Juan and Boulogne, François and Warner, Joshua D. and "
            "Yager, Neil and Gouillart, Emmanuelle and Yu, Tony",
            "year": "2014",
            "title": "scikit-image: image processing in Python",
            "journal": "PeerJ",
            "volume": "2",
            "pages": "e453",
            "doi": "10.7717/peerj.453",
        },
    ),
    "cielab": _standard(
        "ISO/CIE 11664-4:2019",
        "International Commission on Illumination",
        "2019",
        "Colorimetry, part 4: CIE 1976 L*a*b* colour space",
    ),
    "srgb": _standard(
        "IEC 61966-2-1:1999",
        "International Electrotechnical Commission",
        "1999",
        "Multimedia systems and equipment, colour measurement and management, part "
        "2-1: default RGB colour space, sRGB",
    ),
    "icc": _standard(
        "ISO 15076-1:2010",
        "International Color Consortium",
        "2010",
        "Image technology colour management: architecture, profile format and data "
        "structure",
    ),
    "bt601": _standard(
        "Rec. ITU-R BT.601-7",
        _ITU,
        "2011",
        "Studio encoding parameters of digital television for standard 4:3 and "
        "wide-screen 16:9 aspect ratios",
    ),
    "bt709": _standard(
        "Rec. ITU-R BT.709-6",
        _ITU,
        "2015",
        "Parameter values for the HDTV standards for production and international "
        "programme exchange",
    ),
    "bt2020": _standard(
        "Rec. ITU-R BT.2020-2",
        _ITU,
        "2015",
        "Parameter values for ultra-high definition television systems for production "
        "and international programme exchange",
    ),
    "smpte240m": _standard(
        "SMPTE 240M-1999",
        _SMPTE,
        "1999",
        "1125-line high-definition production systems: signal parameters",
    ),
    "fcc": Reference(
        "47 CFR 73.682",
        "techreport",
        {
            "author": "{Federal Communications Commission}",
            "title": "Code of Federal Regulations, title 47, section 73.682: TV "
            "transmission standards",
            "number": "47 CFR 73.682",
            "institution": "Federal Communications Commission",
        },
    ),
    "pq": _standard(
        "SMPTE ST 2084:2014",
        _SMPTE,
        "2014",
        "High dynamic range electro-optical transfer function of mastering reference "
        "displays",
    ),
    "hdr": _standard(
        "Rec. ITU-R BT.2100-2",
        _ITU,
        "2018",
        "Image parameter values for high dynamic range television for use in "
        "production and international programme exchange",
    ),
    "eetf": _standard(
        "Report ITU-R BT.2390-11",
        _ITU,
        "2023",
        "High dynamic range television for production and international programme "
        "exchange",
    ),
    "white": _standard(
        "Report ITU-R BT.2408-7",
        _ITU,
        "2023",
        "Guidance for operational practices in HDR television production",
    ),
    "gamut": _standard(
        "Report ITU-R BT.2407-0",
        _ITU,
        "2017",
        "Colour gamut conversion from Recommendation ITU-R BT.2020 to Recommendation "
        "ITU-R BT.709",
    ),
    "p3": _standard(
        "SMPTE RP 431-2:2011",
        _SMPTE,
        "2011",
        "D-cinema quality: reference projector and environment",
    ),
}


def write_bibtex(keys: Iterable[str]) -> str:
    """Write references as a file of BibTeX, in ASCII."""
    entries = []
    for key in keys:
        reference = REFERENCES[key]
        fields = [
            # Braces keep the capitals of names and of acronyms.
            f"  {name} = {{{f'{{{value}}}' if name == 'title' else value}}},"
            for name, value in reference.fields.items()
        ]
        entries.append("\n".join([f"@{reference.kind}{{{key},", *fields, "}\n"]))
    text = "\n".join(entries)
    for letter, code in _LATEX.items():
        text = text.replace(letter, code)
    return text


def write_reference(key: str) -> str:
    """Write a reference as a list of literature has it."""
    cited, kind, fields = REFERENCES[key]
    authors = _list_authors(fields["author"])
    year = f" ({fields['year']})" if "year" in fields else ""
    title = escape(fields["title"])
    parts = [f"{title}, version {fields['version']}" if "version" in fields else title]
    if kind == "techreport":
        parts.append(cited)
    elif "journal" in fields:
        issue = f"({fields['number']})" if "number" in fields else ""
        parts.append(f"*{fields['journal']}* {fields['volume']}{issue}")
    elif "booktitle" in fields:
        parts.append(f"In: *{fields['booktitle']}*")
    if "pages" in fields:
        parts[-1] += f", {fields['pages'].replace('--', '-')}"
    if "doi" in fields:
        parts.append(f"<https://doi.org/{fields['doi']}>")
    elif "url" in fields:
        parts.append(f"<{fields['url']}>")
    return f"{authors}{year}: {'. '.join(parts)}."


def _list_authors(field: str) -> str:
    """Write authors: of more than four the first one counts for all."""
    names = [name.strip("{}") for name in field.split(" and ")]
    if len(names) > 4:
        return f"{names[0]} et al."
    return join_words(names)
