import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.python import open_source, recognises
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Encodes, Predicts

Written = Callable[..., str]


@pytest.fixture
def module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Written]:
    """Write a module into the current directory; give its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    before = set(sys.modules)
    name = f"made_for_{request.node.originalname}"

    def write(code: str, *, where: str = "{}.py") -> str:
        path = tmp_path / where.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        return name

    yield write
    for loaded in set(sys.modules) - before:
        if loaded.startswith("made_for_"):
            del sys.modules[loaded]


@pytest.mark.parametrize("method", ["log_likelihood", "token_scores", "embed"])
def test_a_language_model_or_an_encoder_needs_no_predict(
    module: Written, method: str
) -> None:
    name = module(
        f"class Model:\n    def {method}(self, items):\n        return items\n"
    )

    model = open_source(f"{name}:Model", ModelOptions()).load()

    assert getattr(model, method)(["a"]) == ["a"]


def test_a_function_from_texts_to_labels_is_a_model(module: Written) -> None:
    name = module("def make():\n    return lambda xs: [x.upper() for x in xs]")

    model = open_source(f"{name}:make", ModelOptions()).load()

    assert isinstance(model, Predicts)
    assert model.predict(["a", "b"])["prediction"].to_pylist() == ["A", "B"]


def test_an_object_with_predict_is_a_model(module: Written) -> None:
    name = module(
        "import numpy as np\n"
        "class Model:\n"
        "    def predict(self, xs):\n"
        "        return np.array([len(x) for x in xs])\n"
    )

    model = open_source(f"{name}:Model", ModelOptions()).load()

    assert model.predict(["ab", "c"])["prediction"].to_pylist() == ["2", "1"]


def test_a_table_is_passed_on_with_its_columns(module: Written) -> None:
    name = module(
        "import pyarrow as pa\n"
        "def make():\n"
        "    return lambda xs: pa.table({'prediction': xs, 'score': [0.5] * len(xs)})\n"
    )
    options = ModelOptions(label_map={"a": "A"})

    table = open_source(f"{name}:make", options).load().predict(["a", "b"])

    assert table.to_pydict() == {"prediction": ["A", "b"], "score": [0.5, 0.5]}


def test_none_is_no_answer_and_labels_are_mapped(module: Written) -> None:
    name = module("def make():\n    return lambda xs: ['yes', None]")
    options = ModelOptions(label_map={"yes": "positive"})

    table = open_source(f"{name}:make", options).load().predict(["a", "b"])

    assert table["prediction"].to_pylist() == ["positive", None]


def test_a_table_may_hold_rankings(module: Written) -> None:
    name = module(
        "import pyarrow as pa\n"
        "def make():\n"
        "    return lambda xs: pa.table({'prediction': [['d2', 'd1'], None]})\n"
    )

    answers = open_source(f"{name}:make", ModelOptions()).load().predict(["a", "b"])

    assert answers["prediction"].to_pylist() == [["d2", "d1"], None]


def test_an_object_with_further_capabilities_is_taken_as_it_is(module: Written) -> None:
    name = module(
        "class Model:\n"
        "    def predict(self, items): ...\n"
        "    def encode(self, inputs): return inputs\n"
    )

    model = open_source(f"{name}:Model", ModelOptions()).load()

    assert type(model).__name__ == "Model"
    assert isinstance(model, Encodes)
    with pytest.raises(ModelError, match="label map cannot be put on"):
        open_source(f"{name}:Model", ModelOptions(label_map={"a": "b"})).load()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("['a']", "gave 1 answers to 2 inputs"),
        ("'ab'", "expected a list of labels.*got str"),
        ("3", "expected a list of labels.*got int"),
        ("[0.5, 0.7]", "expected a label.*got float: 0.5"),
        ("[b'a', b'b']", "expected a label.*got bytes"),
        ("[['a'], ['b']]", "expected a label.*got list"),
        ("[{'label': 'a'}] * 2", "expected a label.*got dict"),
        ("{'a', 'b'}", "expected a list of labels.*got set"),
        ("{'a': 1, 'b': 2}", "expected a list of labels.*got dict"),
        ("__import__('numpy').array([['a'], ['b']])", "expected a label.*got list"),
    ],
)
def test_answers_that_are_no_labels_are_refused(
    module: Written, answers: str, message: str
) -> None:
    name = module(f"def make():\n    return lambda xs: {answers}")
    model = open_source(f"{name}:make", ModelOptions()).load()
    sys.modules.pop(name)

    with pytest.raises(ModelError, match=message):
        model.predict(["a", "b"])


@pytest.mark.parametrize(
    "answers",
    [
        "(x for x in 'ab')",
        "__import__('numpy').array(['a', 'b'])",
        "__import__('pyarrow').array(['a', 'b'])",
        "__import__('pandas').Series(['a', 'b'])",
    ],
)
def test_any_row_of_labels_is_taken(module: Written, answers: str) -> None:
    name = module(f"def make():\n    return lambda xs: {answers}")

    model = open_source(f"{name}:make", ModelOptions()).load()

    assert model.predict([1, 2])["prediction"].to_pylist() == ["a", "b"]


def test_a_fingerprint_that_raises_is_told(module: Written) -> None:
    name = module("def make(): ...\ndef bad(): 1 / 0\nmake.fingerprint = bad")

    source = open_source(f"{name}:make", ModelOptions())

    with pytest.raises(ModelError, match=r"its fingerprint\(\) raised Zero"):
        source.fingerprint()


@pytest.mark.usefixtures("module")
def test_a_module_that_is_not_there_says_where_it_was_looked_for() -> None:
    with pytest.raises(ModelError, match=r"ModuleNotFoundError.*looked for in"):
        open_source("made_for_nobody:make", ModelOptions())


def test_a_module_that_raises_is_no_crash(module: Written) -> None:
    name = module("raise OSError('no licence')")

    with pytest.raises(ModelError, match="OSError: no licence"):
        open_source(f"{name}:make", ModelOptions())


def test_an_absent_attribute_is_named(module: Written) -> None:
    name = module("def make(): ...")

    with pytest.raises(ModelError, match="has no 'build'"):
        open_source(f"{name}:build", ModelOptions())


def test_what_cannot_be_called_is_refused(module: Written) -> None:
    name = module("make = 3")

    with pytest.raises(ModelError, match="'make' is a int, which cannot be called"):
        open_source(f"{name}:make", ModelOptions())


@pytest.mark.parametrize("location", ["just_a_name", "a:b c", ":make"])
def test_another_form_of_reference_is_refused(location: str) -> None:
    with pytest.raises(ModelError, match="expected python:package"):
        open_source(location, ModelOptions())


def test_a_factory_that_raises_or_makes_nothing_is_refused(module: Written) -> None:
    name = module("def bad():\n    raise KeyError('k')\ndef none(): ...")

    with pytest.raises(ModelError, match="the factory raised KeyError: 'k'"):
        open_source(f"{name}:bad", ModelOptions()).load()
    with pytest.raises(ModelError, match="the factory returned a NoneType"):
        open_source(f"{name}:none", ModelOptions()).load()


def test_the_fingerprint_follows_the_code_of_the_whole_package(module: Written) -> None:
    name = module("", where="{}/__init__.py")
    module("def make(): return list", where="{}/model.py")
    module("X = 1", where="{}/helper.py")
    source = open_source(f"{name}.model:make", ModelOptions())
    first = source.fingerprint()

    assert source.fingerprint() == first
    module("X = 2", where="{}/helper.py")
    assert source.fingerprint() != first


def test_the_fingerprint_follows_the_factorys_own_word(module: Written) -> None:
    name = module(
        "WEIGHTS = '1'\n"
        "def make(): return list\n"
        "make.fingerprint = lambda: WEIGHTS\n"
        "def plain(): return list\n"
    )
    source = open_source(f"{name}:make", ModelOptions())
    first = source.fingerprint()
    sys.modules[name].WEIGHTS = "2"  # type: ignore[attr-defined]

    assert source.fingerprint() != first
    assert source.describe()["fingerprint_covers"] == "code and its own word"
    plain = open_source(f"{name}:plain", ModelOptions())
    assert plain.describe()["fingerprint_covers"] == "code"


def test_code_is_never_detected(tmp_path: Path) -> None:
    assert not recognises(tmp_path)
