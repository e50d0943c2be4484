"""The models of our own: how each is trained, and how it is read again.

A trainer is `train(examples, dev, *, seed, out, config, progress) -> history`,
see `compat_eval.models.training.Trainer`. A saved kind is
`load(directory, *, labels, device) -> Predicts`, for what its trainer wrote into
config.json and model.safetensors.
"""

from pathlib import Path

from compat_eval.core.registry import Registry

WORKPLACE = ".training"
"""Where in a model's directory its training works until it is done."""

TRAINERS = Registry(
    group="compat_eval.trainers",
    noun="model to train",
    builtin={
        "biaffine": "compat_eval.models.biaffine_training:train",
        "embedding-bag": "compat_eval.models.embedding_bag_training:train",
        "encoder": "compat_eval.models.encoder:train",
        "seq2seq": "compat_eval.models.tree_seq2seq_training:train",
        "stack-pointer": "compat_eval.models.stack_pointer_training:train",
        "tfidf": "compat_eval.models.tfidf:train",
    },
)

SAVED = Registry(
    group="compat_eval.saved_models",
    noun="kind of saved model",
    builtin={
        "biaffine": "compat_eval.models.biaffine_parser:load",
        "embedding-bag": "compat_eval.models.embedding_bag:load",
        "seq2seq": "compat_eval.models.tree_seq2seq_saving:load",
        "stack-pointer": "compat_eval.models.stack_pointer_parser:load",
    },
)


def unfinished(directory: Path) -> bool:
    """Say whether a training in a directory was stopped, or goes on now."""
    done = (directory / "config.json").exists()
    return not done and (directory / WORKPLACE).is_dir()
