"""Nothing that is given beside NEW may buy a decision to keep OLD's index."""

import pytest

from tests.cli.encoders import NEW, OLD, SUITE, comparison, encoders_folder, ended

pytest.importorskip("ir_measures")

__all__ = ["encoders_folder"]
pytestmark = pytest.mark.usefixtures("encoders_folder")


def test_a_paragon_that_is_no_better_than_old_does_not_show_that_old_may_stay() -> None:
    poor = "python:encoders:always_the_same"
    words = (poor, OLD, *SUITE, "--tolerance", "0.2", "--below-old", "0.05")
    assert ended("compare", *words) in {0, 1, 3}
    assert comparison()["tasks"][0]["decision"]["verdict"] == "re-index"

    with_paragon = (*words, "--paragon", poor, "--overwrite")
    assert ended("compare", *with_paragon) in {0, 1, 3}

    found = comparison()["tasks"][0]["decision"]
    assert found["verdict"] not in {"stay", "bridge", "train", "backfill"}
    assert not [one for one in found["ways"][:-1] if one["acceptable"]]
    assert ended("verify", "r") == 0


def test_an_index_that_tells_nothing_apart_is_not_shown_to_be_kept() -> None:
    flat = "python:encoders:always_the_same"
    kept = ("--index", "kept", *SUITE)

    assert ended("compare", flat, OLD, *kept) == 3

    assert "the order of the ids" in str(comparison())
    assert ended("compare", OLD, NEW, *kept, "--overwrite") == 0
    assert ended("verify", "r") == 0
