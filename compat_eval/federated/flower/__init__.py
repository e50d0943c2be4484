"""Federations on several machines, with Flower (extra `flower`).

Flower reports its use to its makers unless it is told not to, by a variable that it
reads when it is imported. It is set here, before that; where Flower's own commands were
started without it, nothing is computed.
"""

import os
import sys

from compat_eval.core.errors import UsageError

_TELEMETRY = "FLWR_TELEMETRY_ENABLED"
_TOO_LATE = "flwr" in sys.modules and os.environ.get(_TELEMETRY) != "0"
os.environ[_TELEMETRY] = "0"
os.environ["FLWR_DISABLE_UPDATE_CHECK"] = "1"


def require_silence() -> None:
    """Refuse to compute in a process of Flower that reports its use.

    Raises:
        UsageError: Its command was started with telemetry on.

    """
    if _TOO_LATE:
        raise UsageError(
            f"Flower would report its use to its makers. Set {_TELEMETRY}=0 where "
            "flower-superlink and flower-supernode are started, and start them again"
        )
