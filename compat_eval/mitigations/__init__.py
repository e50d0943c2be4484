"""Ways to update a model that break less of what worked: one method a file.

A `Combination` makes one model of models that exist, a `Recipe` trains one, a `Bridge`
leads an encoder's queries to an index that stays.
"""

from compat_eval.core.registry import Registry

MITIGATIONS = Registry(
    group="compat_eval.mitigations",
    noun="mitigation",
    builtin={
        "async-kd": "compat_eval.mitigations.train.asynchronous:asynchronous",
        "bcwi": "compat_eval.mitigations.combine.bcwi:weight_interpolation",
        "arc-focal": "compat_eval.mitigations.train.arc_focal:arc_focal",
        "bcr": "compat_eval.mitigations.combine.bcr:backward_congruent",
        "cost-ratio": "compat_eval.mitigations.combine.cost_ratio:cost_ratio",
        "fisher-bcwi": (
            "compat_eval.mitigations.combine.fisher_bcwi:fisher_interpolation"
        ),
        "gated": "compat_eval.mitigations.combine.gated:gated_fusion",
        "route": "compat_eval.mitigations.combine.route:router",
        "distill": "compat_eval.mitigations.train.distillation:distillation",
        "ensemble": "compat_eval.mitigations.combine.ensemble:ensemble_of_new",
        "elodi": "compat_eval.mitigations.train.elodi:elodi",
        "fct": "compat_eval.mitigations.train.fct:fct",
        "focal": "compat_eval.mitigations.train.focal:focal",
        "joint": "compat_eval.mitigations.combine.joint_decoding:joint_decoding",
        "lambda-orthogonal": (
            "compat_eval.mitigations.train.lambda_orthogonal:lambda_orthogonal"
        ),
        "ldi": "compat_eval.mitigations.train.ldi:ldi",
        "lqf": "compat_eval.mitigations.train.lqf:lqf",
        "naive": "compat_eval.mitigations.train.naive:naive",
        "new-error": "compat_eval.mitigations.train.new_error:new_error",
        "strict-imitation": (
            "compat_eval.mitigations.train.strict_imitation:strict_imitation"
        ),
        "muscle": "compat_eval.mitigations.train.muscle:muscle",
        "soft-distill": (
            "compat_eval.mitigations.train.soft_distillation:soft_distillation"
        ),
        "token-focal": "compat_eval.mitigations.train.token_focal:token_focal",
        "warm-start": "compat_eval.mitigations.train.warm_start:warm_start",
        "cascade": "compat_eval.mitigations.embeddings.cascade:cascade_of_encoders",
        "low-rank": "compat_eval.mitigations.embeddings.ridge:low_rank_adapter",
        "mean-drift": "compat_eval.mitigations.embeddings.mean_drift:mean_drift",
        "mlp": "compat_eval.mitigations.embeddings.residual:mlp_adapter",
        "procrustes": "compat_eval.mitigations.embeddings.procrustes:procrustes",
        "residual": "compat_eval.mitigations.embeddings.residual:residual_adapter",
        "ridge": "compat_eval.mitigations.embeddings.ridge:ridge_adapter",
        "slerp": "compat_eval.mitigations.embeddings.slerp:slerp_of_queries",
        "soup": "compat_eval.mitigations.combine.soup:soup",
        "margin": "compat_eval.mitigations.train.margin_preserving:margin_preserving",
        "mix": "compat_eval.mitigations.combine.classifier_mixing:mixing",
        "cmp-nas": "compat_eval.mitigations.train.cmp_nas:cmp_nas",
        "bct": "compat_eval.mitigations.train.bct:bct",
        "l2": "compat_eval.mitigations.train.l2:l2",
        "contrastive": "compat_eval.mitigations.train.contrastive:contrastive",
        "ract": "compat_eval.mitigations.train.ract:ract",
        "lce": "compat_eval.mitigations.train.lce:lce",
        "unibct": "compat_eval.mitigations.train.unibct:unibct",
        "mixbct": "compat_eval.mitigations.train.mixbct:mixbct",
        "prototype-perturbation": (
            "compat_eval.mitigations.train.prototype_perturbation"
            ":prototype_perturbation"
        ),
        "offset": "compat_eval.mitigations.combine.new_class_offset:new_class_offset",
    },
)
"""Mitigations by name: each is a `Combination`, a `Recipe` or a `Bridge`."""
