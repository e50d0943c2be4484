import pytest

from compat_eval.core.errors import UsageError
from compat_eval.models.multitask.suites import LearnedSuite, load_tasks, suites_of
from compat_eval.suite.load import load_suite


def learned(name: str, dev: str) -> LearnedSuite:
    return LearnedSuite(
        suite=load_suite(name), called=name, split="train-small", dev=dev
    )


def test_suites_become_tasks_of_their_names() -> None:
    train, dev = load_tasks(
        [learned("library-desk", "held out")], data_dir=None, offline=True
    )

    assert set(train.column("task").to_pylist()) == {"library-desk"}
    assert train.ids[0].as_py().startswith("library-desk/")
    assert dev is not None
    assert not set(dev.ids.to_pylist()) & set(train.ids.to_pylist())


def test_without_dev_there_is_none() -> None:
    assert (
        load_tasks([learned("library-desk", "none")], data_dir=None, offline=True)[1]
        is None
    )


def test_a_suite_is_named_once() -> None:
    twice = [learned("library-desk", "none")] * 2

    with pytest.raises(UsageError, match="library-desk is named twice"):
        load_tasks(twice, data_dir=None, offline=True)


def test_the_record_of_a_training_names_its_suites() -> None:
    parts = [learned("library-desk", "held out"), learned("snips", "none")]

    assert suites_of("; ".join(map(str, parts))) == parts
    assert suites_of("something else") == []
