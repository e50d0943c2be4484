"""A mitigation that trains, of another package."""

import pytest

from tests.extension.conftest import Call, Install

pytestmark = pytest.mark.torch


@pytest.mark.usefixtures("toys")
def test_it_trains_a_model_in_place_of_new(install: Install, call: Call) -> None:
    install("echo")
    for side in ("old", "new"):
        code, said = call(
            *("train", "suite.yaml", "--model", "tfidf", "--out", side, "-q"),
            *("--split", "dev" if side == "old" else "train", "--dev", "none"),
        )
        assert code == 0, said

    code, said = call(
        *("compare", "compat:old", "compat:new", "--suite", "suite.yaml"),
        *("--mitigate", "echo:times=2", "--out", "run"),
    )

    assert code == 0, said
    assert "echo:times=2" in said
    assert call("verify", "run")[0] == 0


@pytest.mark.usefixtures("toys")
def test_mitigate_keeps_what_it_trained(install: Install, call: Call) -> None:
    install("echo")
    for side in ("old", "new"):
        words = ("train", "suite.yaml", "--model", "tfidf", "--dev", "none", "-q")
        assert call(*words, "--out", side)[0] == 0

    code, said = call(
        *("mitigate", "echo", "compat:old", "compat:new"),
        *("--suite", "suite.yaml", "--out", "kept"),
    )

    assert code == 0, said
    code, said = call(
        "compare", "compat:old", "compat:kept", "--suite", "suite.yaml", "-q"
    )
    assert code == 0, said


@pytest.mark.usefixtures("toys")
def test_dev_chooses_its_settings_as_those_of_ours(
    install: Install, call: Call
) -> None:
    install("echo")
    for side in ("old", "new"):
        words = ("train", "suite.yaml", "--model", "tfidf", "--dev", "none", "-q")
        assert call(*words, "--out", side)[0] == 0

    code, said = call(
        *("mitigate", "echo:times=auto", "compat:old", "compat:new"),
        *("--suite", "suite.yaml", "--out", "kept"),
    )

    assert code == 0, said
    assert "echo 2 of 2 (times=4)" in said
    assert "on dev (" in said
