"""The task kinds, one a file: what is right at each level, and how it is shown."""

import inspect
from typing import cast

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Task
from compat_eval.core.registry import Registry

AGREEMENT = "agreement"
"""The kind of a comparison in which nobody says what is right."""

TASKS = Registry(
    group="compat_eval.tasks",
    noun="task kind",
    builtin={
        AGREEMENT: "compat_eval.tasks.agreement.task:Agreement",
        "classification": "compat_eval.tasks.classification.task:Classification",
        "dependency": "compat_eval.tasks.dependency.task:dependency",
        "generation": "compat_eval.tasks.generation.task:generation",
        "language_modeling": (
            "compat_eval.tasks.language_modeling.task:language_modeling"
        ),
        "retrieval": "compat_eval.tasks.retrieval.task:retrieval",
        "semantic": "compat_eval.tasks.semantic.task:semantic",
    },
)


def task(kind: str, /, **options: object) -> Task:
    """Return the task of a kind, with the options that the kind knows.

    Raises:
        UsageError: The kind, or one of its options, is unknown.

    """
    make = TASKS.load(kind)
    known = inspect.signature(make).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        unknown = [name for name in options if name not in known]
        if unknown:
            raise UsageError(
                f"task {kind!r} has no setting {', '.join(map(repr, unknown))}"
            )
    return cast("Task", make(**options))
