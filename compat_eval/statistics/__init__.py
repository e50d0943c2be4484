"""Numbers with their intervals, from sums over examples; numpy and scipy only."""

from compat_eval.core.registry import Registry

STATISTICS = Registry(group="compat_eval.statistics", noun="statistic", builtin={})
"""Statistics of other packages, each a `Statistic` of one role; a task has its own.

They are counted in every comparison whose answers have the columns that they need.
"""
