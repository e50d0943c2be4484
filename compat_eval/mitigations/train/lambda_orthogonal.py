"""λ-orthogonal maps: two models stay, and maps bring their vectors together.

Ricci et al., "λ-Orthogonality Regularization for Compatible Representation Learning",
NeurIPS 2025, https://arxiv.org/abs/2509.16664. A backward map B brings NEW's queries to
OLD's index, as near to orthogonal as λ says: a strictly orthogonal one leaves NEW's own
rankings as they are. A forward map F brings OLD's index to where B puts NEW's vectors.
Both are trained together; one of them is kept as a model.
"""

from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.map_settings import OrthogonalSettings
from compat_eval.runner.questions import Embed


def _train(training: Training, settings: OrthogonalSettings) -> str:
    # Settings alone need no torch.
    from compat_eval.mitigations.train.orthogonal_maps import (  # noqa: PLC0415
        train_orthogonal_maps,
    )

    return train_orthogonal_maps(training, settings)


lambda_orthogonal = Recipe(
    name="lambda-orthogonal",
    summary="NEW as it is, with a nearly orthogonal map of its vectors to OLD's space",
    needs="vectors of OLD and NEW; a suite with a training split",
    settings=OrthogonalSettings,
    train=_train,
    asks=Embed(),
    # The index that the forward map makes is for queries of the backward map.
    stands_for=lambda settings: "queries" if settings.keep == "backward" else None,
)
"""λ-orthogonal maps."""
