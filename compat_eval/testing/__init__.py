"""The conformance kit: what every extension must do, as checks to run over it.

Call these from your own tests. Each raises `AssertionError` and says what was
expected and what was got; each returns nothing when all is well.

    from compat_eval.testing import check_model, check_source

    def test_my_adapter_keeps_the_contract():
        source = open_source("models/v1", ModelOptions())
        check_source(source)
        check_model(source.load(), ["first text", "second text"])
"""

from compat_eval.testing.indices import check_index
from compat_eval.testing.models import (
    check_changed_content,
    check_encoder,
    check_model,
    check_predictions,
    check_refuses,
    check_source,
)
from compat_eval.testing.tasks import check_statistic, check_task

__all__ = [
    "check_changed_content",
    "check_encoder",
    "check_index",
    "check_model",
    "check_predictions",
    "check_refuses",
    "check_source",
    "check_statistic",
    "check_task",
]
