"""Forward-compatible training: OLD's vectors are transformed, none is embedded anew.

Ramanujan et al., "Forward Compatible Training for Large-Scale Embedding Retrieval
Systems", CVPR 2022, https://arxiv.org/abs/2112.02805; the uncertainty is that of
Jaeckle et al., "FastFill: Efficient Compatible Model Update", ICLR 2023,
https://arxiv.org/abs/2303.04766. NEW stays as it is, so there is no compatibility tax.
Every vector of the index is transformed, with the side information that was stored
beside it; what the transformation is least sure of is re-embedded first.

What comes out is the model of the transformed index: its vectors are in NEW's space,
NEW asks the queries. Its answers are OLD's.
"""

from compat_eval.mitigations.mitigation import FurtherRole, Recipe, Training
from compat_eval.mitigations.train.map_settings import ForwardSettings
from compat_eval.runner.questions import Embed


def _train(training: Training, settings: ForwardSettings) -> str:
    # Settings alone need no torch.
    from compat_eval.mitigations.train.forward_map import (  # noqa: PLC0415
        train_forward_map,
    )

    return train_forward_map(training, settings)


fct = Recipe(
    name="fct",
    summary="OLD's index, transformed to NEW's space by what was stored beside it",
    needs=(
        "vectors of OLD, NEW and the model of the side information; a suite with a "
        "training split"
    ),
    settings=ForwardSettings,
    train=_train,
    asks=Embed(),
    stands_for=lambda _: "index",
    further={
        "side": FurtherRole(
            summary="whose vectors are the side information stored beside OLD's"
        )
    },
)
"""Forward-compatible training."""
