"""Three machines with a client each, whose documents are in files of their own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.federated.flower.exchange import Action, Payload
from compat_eval.federated.flower.node import Machine, MachineSettings, answer

WORDS = {"1": ["alarm", "wake", "early"], "2": ["song", "play", "loud"]}
SUITE = """
name: stream
version: "1"
task: {kind: language_modeling}
data: {test: {file: FILE}}
fields: {id: id, input: text, cluster: client}
slices: {period: period}
"""


def stream() -> list[dict[str, str]]:
    """Return eight documents of each client and period; cay comes in the second."""
    random = np.random.default_rng(0)
    return [
        {
            "id": f"{period}-{client}-{at}",
            "text": " ".join(random.choice(WORDS[period], 2 + at % 3)),
            "client": client,
            "period": period,
        }
        for period in WORDS
        for client in ("ann", "bob", "cay")
        for at in range(8)
        if (period, client) != ("1", "cay")
    ]


def write_suite(folder: Path, name: str, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write a suite with some documents."""
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    path = folder / f"{name}.yaml"
    path.write_text(SUITE.replace("FILE", f"{name}.jsonl"), encoding="utf-8")
    return path


@dataclass
class Wires:
    """An `Exchange` with machines in this process, which keeps what it carried."""

    opened: Mapping[int, Callable[[], Machine]]
    carried: list[tuple[Action, int, Payload]] = field(default_factory=list)
    dead: Callable[[Action, int, int], bool] = lambda *_: False
    asked: int = 0

    def machines(self) -> Sequence[int]:
        """Return who is there."""
        return sorted(self.opened)

    def ask(
        self, action: Action, payloads: Mapping[int, Payload]
    ) -> Mapping[int, Payload]:
        """Ask all that do not fail at this message."""
        self.asked += 1
        found = {}
        for machine, payload in payloads.items():
            if not self.dead(action, self.asked, machine):
                found[machine] = answer(self.opened[machine](), action, payload)
                self.carried.append((action, machine, found[machine]))
        return found


@pytest.fixture
def wires(tmp_path: Path) -> Wires:
    def opened(name: str) -> Callable[[], Machine]:
        rows = [row for row in stream() if row["client"] == name]
        settings: dict[str, Any] = {
            "suite": str(write_suite(tmp_path, name, rows)),
            "period": "period",
            "folder": tmp_path / f"{name}-folder",
        }
        # As after a restart at each message.
        return lambda: Machine.opened(MachineSettings(**settings))

    names = ("cay", "ann", "bob")  # machines are not in the order of clients
    return Wires({11 + at: opened(name) for at, name in enumerate(names)})
