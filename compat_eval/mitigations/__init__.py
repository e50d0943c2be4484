"""Ways to update a model that break less of what worked: one method a file.

Those that make one model of an old and a new one are known by name; some take
further new models. `sequence_distillation` changes what NEW is trained on.
"""

from compat_eval.core.registry import Registry

MITIGATIONS = Registry(
    group="compat_eval.mitigations",
    noun="mitigation",
    builtin={
        "bcr": "compat_eval.mitigations.combine.bcr:backward_congruent",
        "ensemble": "compat_eval.mitigations.combine.ensemble:ensemble_of_new",
        "joint": "compat_eval.mitigations.combine.joint_decoding:joint_decoding",
        "mix": "compat_eval.mitigations.combine.classifier_mixing:mixing",
    },
)
"""Methods that make one model of an old and a new one, by name.

Each is `method(old, new, **options) -> Predicts`. Its keyword parameters are what
users may set; further models come as `with_`, or with their weights as `earlier`.
"""
