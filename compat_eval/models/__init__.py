"""The models of our own: how each is trained, and how it is read again.

A trainer is a `compat_eval.models.training.train.Trainer`. A saved kind is
`load(directory, *, labels, device) -> Predicts`, for what its trainer wrote into
config.json and model.safetensors; a kind with several tasks is given the name of one as
`task`. An objective is the loss of a classifier's training, an `Objective` of
`compat_eval.models.training.objectives`.
"""

from pathlib import Path

from compat_eval.core.registry import Registry

BESIDE = frozenset(
    {
        "training.json",
        "mitigation.json",
        "README.md",
        "encoder.json",
        "members.json",
        "search.json",
    }
)
"""Files in a model's directory that decide no answer."""

WORKPLACE = ".training"
"""Folder in a model's directory that its training uses until it is done."""

TRAINERS = Registry(
    group="compat_eval.trainers",
    noun="model to train",
    builtin={
        "biaffine": "compat_eval.models.biaffine.training:train",
        "causal-lm": "compat_eval.models.causal_lm.training:train",
        "cnn": "compat_eval.models.classifiers.cnn:train",
        "embedding-bag": "compat_eval.models.classifiers.embedding_bag:train",
        "encoder": "compat_eval.models.classifiers.encoder:train",
        "head": "compat_eval.models.classifiers.head:train",
        "language-model": "compat_eval.models.language_models.training:train",
        "lqf": "compat_eval.models.linearised.training:train",
        "multitask": "compat_eval.models.multitask.training:train",
        "n-gram": "compat_eval.models.language_models.ngram:train",
        "seq2seq": "compat_eval.models.tree_seq2seq.training:train",
        "stack-pointer": "compat_eval.models.stack_pointer.training:train",
        "text-cnn": "compat_eval.models.classifiers.text_cnn:train",
        "text-transformer": "compat_eval.models.classifiers.text_transformer:train",
        "tfidf": "compat_eval.models.classifiers.tfidf:train",
    },
)

TASK_OF = {
    "biaffine": "dependency",
    "cnn": "classification",
    "embedding-bag": "classification",
    "encoder": "classification",
    "head": "classification",
    "language-model": "language_modeling",
    "lqf": "classification",
    "multitask": "classification",
    "n-gram": "language_modeling",
    "seq2seq": "semantic",
    "stack-pointer": "dependency",
    "text-cnn": "classification",
    "text-transformer": "classification",
    "tfidf": "classification",
}
"""Task kind that each learns; `causal-lm` and trainers of other packages learn what
their examples hold."""

_LOSSES = "compat_eval.models.training.objectives"
_COMPATIBLE = "compat_eval.models.encoders.compatibility"

OBJECTIVES = Registry(
    group="compat_eval.objectives",
    noun="objective",
    builtin={
        "bct": f"{_COMPATIBLE}.influence:InfluenceTraining",
        "contrastive": f"{_COMPATIBLE}.contrastive:ContrastiveTraining",
        "cross-entropy": f"{_LOSSES}.cross_entropy:CrossEntropy",
        "distillation": f"{_LOSSES}.distillation:Distillation",
        "focal": f"{_LOSSES}.focal_distillation:FocalDistillation",
        "l2": f"{_COMPATIBLE}.distance:DistanceTraining",
        "lce": f"{_COMPATIBLE}.class_centres:CentreTraining",
        "ldi": f"{_LOSSES}.logit_difference_inhibition:LogitDifferenceInhibition",
        "margin": f"{_LOSSES}.margin_preserving:MarginPreserving",
        "mixbct": f"{_COMPATIBLE}.mixing:MixedTraining",
        "naive": f"{_LOSSES}.naive_reweighting:NaiveReweighting",
        "new-error": f"{_LOSSES}.new_error:NewError",
        "prototype-perturbation": f"{_COMPATIBLE}.perturbation:PerturbedTraining",
        "strict-imitation": f"{_LOSSES}.strict_imitation:StrictImitation",
        "unibct": f"{_COMPATIBLE}.propagation:PropagatedTraining",
    },
)

SAVED = Registry(
    group="compat_eval.saved_models",
    noun="kind of saved model",
    builtin={
        "biaffine": "compat_eval.models.biaffine.parser:load",
        "cnn": "compat_eval.models.classifiers.cnn:load",
        "embedding-bag": "compat_eval.models.classifiers.embedding_bag:load",
        "head": "compat_eval.models.classifiers.head:load",
        "language-model": "compat_eval.models.language_models.model:load",
        "lqf": "compat_eval.models.linearised.classifier:load",
        "multitask": "compat_eval.models.multitask.answering:load",
        "n-gram": "compat_eval.models.language_models.ngram:load",
        "seq2seq": "compat_eval.models.tree_seq2seq.parser:load",
        "stack-pointer": "compat_eval.models.stack_pointer.parser:load",
        "text-cnn": "compat_eval.models.classifiers.text_cnn:load",
        "text-transformer": "compat_eval.models.classifiers.text_transformer:load",
    },
)


def unfinished(directory: Path) -> bool:
    """Return whether a training in a directory was interrupted or is still running."""
    done = (directory / "config.json").exists()
    return not done and (directory / WORKPLACE).is_dir()
