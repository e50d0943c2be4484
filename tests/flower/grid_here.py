"""Flower's grid with SuperNodes in this process: its own messages and apps."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("flwr", reason="needs the extra flower: make test-flower")

from flwr.app import Context, Error, Message, RecordDict
from flwr.supercore.task_identity import TaskIdentity

# What Flower's commands tell the process of a ServerApp.
TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1


@dataclass
class GridHere:
    """What a ServerApp is given, as far as it is used here."""

    nodes: dict[int, Mapping[str, Any]]
    """What `--node-config` tells each."""
    fails: Callable[[int, str], str] = lambda *_: ""
    """Of a node and a message's type: error, silence or gone; or empty."""
    carried: list[Any] = field(default_factory=list)
    """Replies."""

    def get_node_ids(self) -> list[int]:
        """Return who is connected."""
        return [*self.nodes]

    def push_messages(self, messages: Iterable[Any]) -> list[str]:
        """Answer messages at once."""
        from compat_eval.federated.flower.client import app

        names: list[str] = []
        for message in messages:
            name = f"message-{len(self.carried)}-{len(names)}"
            names.append(name)
            metadata = message.metadata
            metadata.__dict__["_message_id"] = name
            how = self.fails(metadata.dst_node_id, metadata.message_type)
            if how == "error":
                error = Error(code=0, reason="its process died")
                self.carried.append(Message(error, reply_to=message))
            elif how == "gone":
                del self.nodes[metadata.dst_node_id]
            elif how != "silence":
                self.carried.append(app(message, self._context(metadata)))
        return names

    def pull_messages(self, names: Iterable[str]) -> list[Any]:
        """Return the replies to some messages."""
        wanted = {*names}
        return [
            one for one in self.carried if one.metadata.reply_to_message_id in wanted
        ]

    def _context(self, metadata: Any) -> Any:
        return Context(
            run_id=1,
            node_id=metadata.dst_node_id,
            node_config=self.nodes[metadata.dst_node_id],
            state=RecordDict(),
            run_config={},
        )
