"""Damaged logs of other tools are read rightly or refused, and never crash."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import CompatEvalError
from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers.files import read
from compat_eval.readers.logs import reader_of
from tests.trust.fuzz import MUTATIONS
from tests.trust.log_files import log_files

N_DAMAGED = 40
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "\x1b[31m<script>",
    [],
    {},
    [[]],
    [None],
    {"a": {"b": [1]}},
    "9" * 400,
)


def load(path: Path) -> Recorded:
    return read(str(path), Request(name=path.name, proposed=True))


@pytest.mark.parametrize("name", [*log_files()])
def test_a_sound_log_is_recognised(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(log_files()[name])

    assert reader_of(path) is not None


@pytest.mark.parametrize("name", [*log_files()])
def test_a_damaged_log_is_read_or_refused(tmp_path: Path, name: str) -> None:
    sound = log_files()[name]
    path = tmp_path / name
    for seed in range(N_DAMAGED):
        rng = random.Random(f"{name} {seed}")  # noqa: S311
        data = bytearray(sound)
        for _ in range(rng.randrange(1, 4)):
            rng.choice(MUTATIONS)(data, rng)
        path.write_bytes(data)
        try:
            load(path)
        except CompatEvalError as error:
            assert str(error)  # noqa: PT017 - most damage is refused, some is not


@pytest.mark.parametrize("name", [n for n in log_files() if ".json" in n])
def test_values_of_another_kind_are_read_or_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for text in _changed(log_files()[name].decode("utf-8")):
        path.write_text(text, "utf-8")
        try:
            load(path)
        except CompatEvalError as error:
            assert str(error)  # noqa: PT017 - as above


def _changed(text: str) -> Iterator[str]:
    """Yield a log with one of its values replaced by another kind of value."""
    lines = text.splitlines() if text.startswith("{") and "\n" in text else [text]
    for number, line in enumerate(lines[:2]):
        document = json.loads(line)
        for at, (holder, key) in enumerate(_places(document)):
            was = holder[key]
            for other in HOSTILE[at % 3 :: 3]:
                holder[key] = other
                yield "\n".join(
                    [*lines[:number], json.dumps(document), *lines[number + 1 :]]
                )
            holder[key] = was


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(min(len(value), 2))
        for key in keys:
            yield value, key
            yield from _places(value[key])
