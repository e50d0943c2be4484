"""The shipped suites, loaded from a mirror of their data (COMPAT_EVAL_DATA).

Counts are those that the data's publishers state, or that were counted apart from
this package.
"""

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from compat_eval.core.examples import Examples
from compat_eval.suite.check import check, slice_counts
from compat_eval.suite.examples import load_examples, places_of
from compat_eval.suite.load import load_suite

_MIRROR = os.environ.get("COMPAT_EVAL_DATA", "")

SPLITS = {
    ("clinc150", "test"): (4500 + 1000, 151),
    ("clinc150", "dev"): (3000 + 100, 151),
    ("clinc150", "train"): (15_000 + 100, 151),
    ("clinc150", "train-small"): (7500 + 100, 151),
    ("clinc150", "train-imbalanced"): (10_525 + 100, 151),
    ("clinc150", "train-oos-plus"): (15_000 + 250, 151),
    ("snips", "test"): (700, 7),
    ("snips", "train"): (13_784, 7),
    ("snips", "train-small"): (2100, 7),
    ("hwu64", "test"): (1076, 64),
    ("hwu64", "dev"): (1076, 64),
    ("hwu64", "train"): (8954, 64),
    ("hwu64", "train-10"): (640, 64),
    ("hwu64", "train-5"): (320, 64),
}


@pytest.fixture
def mirror() -> Path:
    if not _MIRROR or not Path(_MIRROR).is_dir():
        pytest.skip("COMPAT_EVAL_DATA names no mirror of the data sets")
    return Path(_MIRROR)


def examples(name: str, split: str, mirror: Path) -> Examples:
    return load_examples(load_suite(name), split, data_dir=mirror, offline=True)


@pytest.mark.data
@pytest.mark.parametrize(("name", "split"), list(SPLITS))
def test_counts(name: str, split: str, mirror: Path) -> None:
    found = examples(name, split, mirror)

    n_labels = pc.count_distinct(found.column("gold")).as_py()
    assert (len(found), n_labels) == SPLITS[name, split]


@pytest.mark.data
@pytest.mark.parametrize("name", ["clinc150", "snips", "hwu64"])
def test_validate_finds_nothing_wrong(name: str, mirror: Path) -> None:
    suite = load_suite(name)

    checked = check(suite, places_of(suite, mirror, offline=True))

    assert checked.perfect == {"example": 1.0}


@pytest.mark.data
def test_clinc150_slices(mirror: Path) -> None:
    counts = slice_counts(examples("clinc150", "test", mirror))

    assert counts["oos=yes"] == 1000
    assert counts["oos=no"] == 4500
    domains = [n for name, n in counts.items() if name.startswith("domain=")]
    assert domains == [450] * 10


@pytest.mark.data
def test_clinc150_small_is_a_subset_of_full(mirror: Path) -> None:
    small = set(examples("clinc150", "train-small", mirror).ids.to_pylist())
    full = set(examples("clinc150", "train", mirror).ids.to_pylist())

    assert small < full


@pytest.mark.data
def test_snips_texts_are_joined_and_decoded(mirror: Path) -> None:
    texts = examples("snips", "train", mirror).column("input").to_pylist()

    assert sum("\ufffd" in text for text in texts) == 0
    assert "can you put on Like A Hurricane by Paul Landers" in (
        examples("snips", "test", mirror).column("input").to_pylist()
    )


def test_library_desk_is_what_it_promises() -> None:
    suite = load_suite("library-desk")
    checked = check(suite, places_of(suite, offline=True))

    assert {split: len(e) for split, e in checked.examples.items()} == {
        "test": 330,
        "train": 450,
        "train-small": 150,
    }
    assert checked.notes == ()
    assert suite.labels is not None
    assert len(suite.labels.names) == 15


def test_library_desk_repeats_no_utterance() -> None:
    suite = load_suite("library-desk")
    texts = [
        text.casefold()
        for split in ("test", "train")
        for text in load_examples(suite, split).column("input").to_pylist()
    ]

    assert len(set(texts)) == len(texts) == 780


def test_library_desk_small_is_a_third_of_train() -> None:
    suite = load_suite("library-desk")
    small = set(load_examples(suite, "train-small").ids.to_pylist())
    train = set(load_examples(suite, "train").ids.to_pylist())

    assert small < train


def test_the_bundled_data_stay_small() -> None:
    base = load_suite("library-desk").base
    assert base is not None

    assert sum(path.stat().st_size for path in base.iterdir()) < 200_000
