"""Messages through Flower: an `Exchange` over a ServerApp's grid.

Beutel et al., "Flower: A Friendly Federated Learning Research Framework", 2020,
https://arxiv.org/abs/2007.14390. Only Flower's public interface is used.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, RecordDict

from compat_eval.core.errors import ModelError
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.progress import Progress
from compat_eval.federated.flower import require_silence
from compat_eval.federated.flower.exchange import Action, Payload

CATEGORIES = {"begin": "query.begin", "steps": "train.steps", "keep": "train.keep"}
"""What Flower calls each message."""
_PAUSE = 0.1


class GridExchange:
    """Carries messages, and knows who is lost."""

    def __init__(self, grid: Any, progress: Progress, *, timeout: float) -> None:  # noqa: ANN401
        """Take Flower's grid, and how many seconds an answer may take."""
        require_silence()
        self._grid, self._progress, self._timeout = grid, progress, timeout
        self._number = 0

    def machines(self) -> Sequence[int]:
        """Return who is there now, sorted."""
        return sorted(self._grid.get_node_ids())

    def wait_for(self, n: int) -> None:
        """Wait until there are as many machines.

        Raises:
            ModelError: There are not in time.

        """
        until = time.monotonic() + self._timeout
        while len(self.machines()) < n:
            if time.monotonic() > until:
                raise ModelError(
                    f"{len(self.machines())} of {n} SuperNodes are connected after "
                    f"{self._timeout:g} seconds; start the others, or set machines"
                )
            time.sleep(_PAUSE)

    def ask(
        self, action: Action, payloads: Mapping[int, Payload]
    ) -> Mapping[int, Payload]:
        """Return the answers of those that did not fail, in the order asked.

        Who fails, disconnects or does not answer in time is told to the progress.
        """
        self._number += 1
        asked = [
            Message(
                packed(payload),
                dst_node_id=machine,
                message_type=CATEGORIES[action],
                group_id=str(self._number),
            )
            for machine, payload in payloads.items()
        ]
        sent = zip(self._grid.push_messages(asked), payloads, strict=True)
        waiting = {name: machine for name, machine in sent if name}
        found: dict[int, Payload] = {}
        until = time.monotonic() + self._timeout
        while waiting:
            present = {*self.machines()}
            for reply in self._grid.pull_messages([*waiting]):
                machine = waiting.pop(reply.metadata.reply_to_message_id)
                if reply.has_error():
                    self._progress.note(f"machine {machine}: {reply.error.reason}")
                else:
                    found[machine] = unpacked(reply.content)
            gone = [name for name, machine in waiting.items() if machine not in present]
            late = [*waiting] if time.monotonic() > until else []
            for name in {*gone, *late}:
                why = "disconnected" if name in gone else "did not answer in time"
                self._progress.note(f"machine {waiting.pop(name)} {why}")
            if waiting:
                time.sleep(_PAUSE)
        return {machine: found[machine] for machine in payloads if machine in found}


def packed(payload: Payload) -> Any:  # noqa: ANN401
    """Return what Flower sends."""
    facts = ConfigRecord({"json": canonical_json(payload.facts)})
    arrays = ArrayRecord(
        {name: Array(one.detach().numpy()) for name, one in payload.arrays.items()}
    )
    return RecordDict({"facts": facts, "arrays": arrays})


def unpacked(content: Any) -> Payload:  # noqa: ANN401
    """Return what Flower delivered."""
    return Payload(
        facts=json.loads(content["facts"]["json"]),
        arrays={
            name: torch.from_numpy(one.numpy().copy())
            for name, one in content["arrays"].items()
        },
    )
