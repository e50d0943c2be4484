"""The models of our own: how each is trained, and how it is read again.

A trainer is `train(examples, dev, *, seed, out, config, progress) -> history`,
see `compat_eval.models.training.Trainer`. A saved kind is
`load(directory, *, labels, device) -> Predicts`, for what its trainer wrote into
config.json and model.safetensors.
"""

from compat_eval.core.registry import Registry

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
