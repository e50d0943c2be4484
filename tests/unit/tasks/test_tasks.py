import pytest

from compat_eval.core.errors import DataError
from compat_eval.suite.load import load_suite
from compat_eval.tasks import recorded_task, task


def test_the_settings_of_a_task_without_a_suite_come_back() -> None:
    manifest = {
        "suite": None,
        "task": {"kind": "dependency", "options": {"preset": "official"}},
    }

    assert recorded_task(manifest) == task("dependency", preset="official")


def test_a_suites_task_comes_from_its_config() -> None:
    suite = load_suite("library-desk")

    assert recorded_task({"suite": dict(suite.config)}) == suite.task


def test_a_manifest_without_a_task_is_damaged() -> None:
    with pytest.raises(DataError, match="does not say which task"):
        recorded_task({"suite": None})
