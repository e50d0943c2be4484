"""How the losses of several tasks are balanced: a published method a file."""

from compat_eval.core.registry import Registry

BALANCING = Registry(
    group="compat_eval.balancing",
    noun="way to balance tasks",
    builtin={
        "dwa": "compat_eval.models.multitask.balancing.dwa:DynamicWeightAverage",
        "equal": "compat_eval.models.multitask.balancing.balancing:EqualWeights",
        "gradnorm": "compat_eval.models.multitask.balancing.gradnorm:GradNorm",
        "pcgrad": "compat_eval.models.multitask.balancing.pcgrad:PCGrad",
        "uncertainty": (
            "compat_eval.models.multitask.balancing.uncertainty:UncertaintyWeights"
        ),
    },
)
"""Subclasses of `Balancing` by name, made of the number of tasks and their settings."""
