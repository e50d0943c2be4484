import pytest

from compat_eval.core.errors import UsageError
from compat_eval.models import TRAINERS
from compat_eval.models.training.suited import TASK_OF, require_suited
from compat_eval.tasks import TASKS


def test_a_model_that_learns_another_task_is_refused_with_those_that_suit() -> None:
    with pytest.raises(UsageError, match="biaffine or stack-pointer"):
        require_suited("tfidf", "dependency", suite="trees")
    with pytest.raises(UsageError, match="learns dependency, and suite texts"):
        require_suited("biaffine", "classification", suite="texts")


def test_a_task_that_none_learns_is_told() -> None:
    with pytest.raises(UsageError, match="no model of ours"):
        require_suited("tfidf", "summaries", suite="news")


def test_what_suits_and_what_is_not_ours_passes() -> None:
    require_suited("stack-pointer", "dependency", suite="trees")
    require_suited("from-a-plugin", "dependency", suite="trees")


def test_the_list_names_trainers_and_task_kinds_that_there_are() -> None:
    assert set(TASK_OF) == set(TRAINERS.builtin)
    assert set(TASK_OF.values()) <= set(TASKS.names())
