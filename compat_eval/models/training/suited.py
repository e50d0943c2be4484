"""Which task kind each model of our own learns."""

from compat_eval.core.errors import UsageError

TASK_OF = {
    "biaffine": "dependency",
    "embedding-bag": "classification",
    "encoder": "classification",
    "seq2seq": "semantic",
    "stack-pointer": "dependency",
    "tfidf": "classification",
}
"""A model of another package is not listed, and says itself what it cannot read."""


def require_suited(model: str, kind: str, *, suite: str) -> None:
    """Refuse to train a model on examples of another kind than it learns.

    Args:
        model: A name in `TRAINERS`.
        kind: The suite's task kind.
        suite: The suite's name, for the message.

    Raises:
        UsageError: The model learns another kind of task; the message names those
            that suit.

    """
    learns = TASK_OF.get(model, kind)
    if learns == kind:
        return
    suited = [name for name, other in TASK_OF.items() if other == kind]
    hint = f"choose {' or '.join(suited)}" if suited else "no model of ours learns it"
    raise UsageError(
        f"--model {model} learns {learns}, and suite {suite} is of the task {kind}; "
        f"{hint}"
    )
