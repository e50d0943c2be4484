"""Ways to update a model that break less of what worked: one method a file.

Those of one old and one new model are known by name. `ensemble` takes several
new models; `sequence_distillation` changes what NEW is trained on.
"""

from compat_eval.core.registry import Registry

MITIGATIONS = Registry(
    group="compat_eval.mitigations",
    noun="mitigation",
    builtin={
        "bcr": "compat_eval.mitigations.bcr:backward_congruent",
        "joint": "compat_eval.mitigations.joint_decoding:joint_decoding",
    },
)
"""Methods that make one model of an old and a new one, by name.

Each is `method(old, new, **options) -> Predicts`.
"""
