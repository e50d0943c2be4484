"""The app of Flower's SuperNodes: it answers for the clients of one machine.

`--node-config` has the settings of a `Machine`.
"""

from typing import Any

from flwr.app import Message
from flwr.clientapp import ClientApp

from compat_eval.core.errors import CompatEvalError
from compat_eval.federated.flower import require_silence
from compat_eval.federated.flower.exchange import Payload
from compat_eval.federated.flower.grid import CATEGORIES, packed, unpacked
from compat_eval.federated.flower.node import (
    Machine,
    MachineSettings,
    answer,
    machine_settings,
)
from compat_eval.models.training.train import settings_from


def _answered(action: str) -> Any:  # noqa: ANN401
    def answered(message: Any, context: Any) -> Any:  # noqa: ANN401
        try:
            require_silence()
            config = machine_settings(context.node_config)
            machine = Machine.opened(settings_from(MachineSettings, config))
            found = answer(machine, action, unpacked(message.content))
        except CompatEvalError as error:
            found = Payload(facts={"error": str(error)})
        return Message(packed(found), reply_to=message)

    return answered


app = ClientApp()
for _action, _called in CATEGORIES.items():
    _category, _, _name = _called.partition(".")
    getattr(app, _category)(_name)(_answered(_action))
