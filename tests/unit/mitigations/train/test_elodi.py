"""An ensemble that teaches."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from compat_eval.core.errors import OutputError, UsageError
from compat_eval.workflows.mitigate import mitigate
from compat_eval.workflows.options import Options

pytestmark = pytest.mark.torch


def made(method: str, desk: Callable[[str], str], tmp_path: Path, name: str) -> bytes:
    options = Options(suite="library-desk", cache=tmp_path / "cache")
    mitigate(method, desk("old"), desk("new"), options, out=tmp_path / name)
    return (tmp_path / name / "model.safetensors").read_bytes()


def test_members_of_either_ensemble_teach(
    desk: Callable[[str], str], tmp_path: Path
) -> None:
    other = desk("other")
    cases = {
        "new": f"elodi:with={other}",
        "old": f"elodi:teacher=old,old={other}",
        "both": f"elodi:teacher=both,with={other}",
        "twice": f"elodi:with={other},with={other}",
    }

    found = {name: made(text, desk, tmp_path, name) for name, text in cases.items()}

    assert len(set(found.values())) == len(cases)
    record = json.loads((tmp_path / "new/training.json").read_text("utf-8"))
    assert record["config"]["objective"] == "ldi"
    assert record["config"]["objective_settings"] == {
        "share": 0.8,
        "xi": 0.0,
        "p": 2.0,
        "top": 0,
        "exclude_true": True,
        "one_sided": False,
    }
    with pytest.raises(OutputError, match="trained from other models"):
        made(f"elodi:with={desk('old')}", desk, tmp_path, "new")


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("elodi", "name more with with=REF. ldi learns from OLD alone"),
        ("elodi:teacher=old", "name more with old=REF"),
        ("elodi:teacher=new,old={}", "models of old= take no part with teacher=new"),
        ("elodi:teacher=old,with={}", "models of with= take no part"),
    ],
)
def test_what_is_no_ensemble_is_told(
    method: str, told: str, desk: Callable[[str], str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        made(method.format(desk("other")), desk, tmp_path, "out")
