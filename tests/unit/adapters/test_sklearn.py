import json
import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.sklearn import open_source, recognises
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.protocols import Embeds, GivesLogits, ModelSource, Predicts

pytestmark = pytest.mark.torch

TEXTS = ["play music", "play rock", "book a table", "book two", "is it sunny", "rain"]
GOLD = ["play", "play", "book", "book", "weather", "weather"]


def fitted(classifier: Any = None) -> Any:
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(TfidfVectorizer(), classifier or LogisticRegression(C=10))
    return pipeline.fit(TEXTS, GOLD)


def saved(model: Any, path: Path) -> Path:
    pytest.importorskip("skops.io").dump(model, path)
    return path


def test_it_is_a_source_of_a_model(tmp_path: Path) -> None:
    path = saved(fitted(), tmp_path / "m.skops")
    source = open_source(str(path), ModelOptions())
    as_promised: ModelSource = source

    model = source.load()

    assert isinstance(model, Predicts)
    assert isinstance(model, GivesLogits)
    assert model.labels == ("book", "play", "weather")
    assert json.loads(json.dumps(source.describe())) == as_promised.describe()


def test_answers_and_probabilities_are_the_pipelines_own(tmp_path: Path) -> None:
    pipeline = fitted()
    texts = [*TEXTS, "play a table"]
    top = np.sort(pipeline.predict_proba(texts), axis=1)
    path = saved(pipeline, tmp_path / "m.skops")
    model = open_source(str(path), ModelOptions()).load()

    table = model.predict(texts)

    assert table["prediction"].to_pylist() == pipeline.predict(texts).tolist()
    assert table["score"].to_numpy() == pytest.approx(top[:, -1], abs=1e-12)
    assert table["margin"].to_numpy() == pytest.approx(
        top[:, -1] - top[:, -2], abs=1e-9
    )


def test_a_decision_function_gives_no_probability(tmp_path: Path) -> None:
    from sklearn.svm import LinearSVC

    path = saved(fitted(LinearSVC()), tmp_path / "m.skops")
    table = open_source(str(path), ModelOptions()).load().predict(TEXTS)

    assert table.column_names == ["prediction"]
    assert table["prediction"].to_pylist() == GOLD
    assert not isinstance(open_source(str(path), ModelOptions()).load(), GivesLogits)


def test_logits_are_log_probabilities(tmp_path: Path) -> None:
    pipeline = fitted()
    path = saved(pipeline, tmp_path / "m.skops")
    model = open_source(str(path), ModelOptions()).load()

    assert isinstance(model, GivesLogits)
    expected = pipeline.predict_log_proba(TEXTS)
    assert model.logits(TEXTS) == pytest.approx(expected, abs=1e-9)
    assert model.logits([]).shape == (0, 3)


def test_the_logit_of_what_is_impossible_is_a_number(tmp_path: Path) -> None:
    from sklearn.tree import DecisionTreeClassifier

    path = saved(fitted(DecisionTreeClassifier()), tmp_path / "m.skops")
    model = open_source(str(path), ModelOptions()).load()

    assert isinstance(model, GivesLogits)
    assert np.isfinite(model.logits(TEXTS)).all()


def test_labels_that_are_numbers_become_their_names(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [3, 5])
    path = saved(model, tmp_path / "m.skops")
    options = ModelOptions(label_map={"3": "no", "5": "yes"})

    table = open_source(str(path), options).load().predict([[0.0], [1.0]])

    assert table["prediction"].to_pylist() == ["no", "yes"]


def test_no_items_give_no_rows(tmp_path: Path) -> None:
    path = saved(fitted(), tmp_path / "m.skops")

    assert open_source(str(path), ModelOptions()).load().predict([]).num_rows == 0


@pytest.mark.parametrize("suffix", [".pkl", ".joblib", ".skops"])
def test_a_pickle_is_refused_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps(fitted()))

    with pytest.raises(ModelError, match=r"a pickle.*--allow-pickle"):
        open_source(str(path), ModelOptions())


def test_a_pickle_is_read_when_allowed_and_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted()))
    source = open_source(str(path), ModelOptions(allow_pickle=True))

    assert source.describe()["allow_pickle"] is True
    assert source.describe()["format"] == "pickle"
    assert source.load().predict(TEXTS)["prediction"].to_pylist() == GOLD


@pytest.mark.parametrize("function", [Path.touch, np.testing.rundocs])
def test_foreign_types_and_functions_are_refused_and_listed(
    tmp_path: Path, function: Any
) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    pipeline = make_pipeline(FunctionTransformer(function), fitted())
    path = saved(pipeline, tmp_path / "m.skops")

    with pytest.raises(ModelError, match=function.__name__):
        open_source(str(path), ModelOptions()).load()


@pytest.mark.parametrize(
    "name",
    [
        "made_to_be_imported.Model",
        "sklearn.conftest.fetch_fixture",
        "sklearn.made_to_be_imported.Model",
        "numpy.f2py.crackfortran.Path",
        "sklearn.utils.fixes.Version",
        "scipy._lib._util.partial",
    ],
)
def test_nothing_that_a_file_names_is_imported_or_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("made_to_be_imported.py").write_text("raise SystemExit('imported')")
    module, _, attribute = name.rpartition(".")
    leaf = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode"}
    pytest.importorskip("skops.io")
    state = {
        "__class__": attribute,
        "__module__": module,
        "__loader__": "ListNode",
        "content": [{**leaf, "content": '"touch"', "is_json": True}],
        "protocol": pytest.importorskip("skops.io._protocol").PROTOCOL,
        "_skops_version": "0",
    }
    with zipfile.ZipFile("m.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(state))
    source = open_source("m.skops", ModelOptions())
    was_there = module in sys.modules

    with pytest.raises(ModelError, match=f"holds {re.escape(name)}; only classes"):
        source.load()

    assert (module in sys.modules) is was_there


def test_a_boosted_model_of_sklearns_own_classes_is_opened(tmp_path: Path) -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    features, gold = [[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"]
    model = GradientBoostingClassifier(n_estimators=3).fit(features, gold)
    path = saved(model, tmp_path / "m.skops")

    table = open_source(str(path), ModelOptions()).load().predict(features)

    assert table["prediction"].to_pylist() == gold


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = saved(fitted(), tmp_path / "m.skops")
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(ModelError, match=r"m\.skops: cannot be read"):
        open_source(str(path), ModelOptions()).load()


def test_what_is_no_classifier_is_refused(tmp_path: Path) -> None:
    from sklearn.linear_model import LinearRegression

    path = saved(
        LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "m.skops"
    )

    with pytest.raises(ModelError, match="expected a fitted classifier"):
        open_source(str(path), ModelOptions()).load()


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not there"):
        open_source(str(tmp_path / "m.skops"), ModelOptions())
    with pytest.raises(ModelError, match="is a directory"):
        open_source(str(tmp_path), ModelOptions())


def test_a_narrow_dtype_is_refused(tmp_path: Path) -> None:
    path = saved(fitted(), tmp_path / "m.skops")

    with pytest.raises(ModelError, match="bfloat16"):
        open_source(str(path), ModelOptions(dtype="bfloat16"))


def test_the_fingerprint_is_of_content_and_label_map(tmp_path: Path) -> None:
    path = saved(fitted(), tmp_path / "m.skops")
    elsewhere = tmp_path / "n.skops"
    elsewhere.write_bytes(path.read_bytes())
    mapped = ModelOptions(label_map={"play": "PlayMusic"})

    first = open_source(str(path), ModelOptions()).fingerprint()

    assert open_source(str(elsewhere), ModelOptions()).fingerprint() == first
    assert open_source(str(path), mapped).fingerprint() != first
    path.write_bytes(path.read_bytes() + b"\0")
    assert open_source(str(path), ModelOptions()).fingerprint() != first


def test_files_are_recognised_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.skops").touch()
    (tmp_path / "a.jsonl").touch()

    assert recognises(tmp_path / "a.skops")
    assert not recognises(tmp_path / "a.jsonl")
    assert not recognises(tmp_path)


def test_latent_semantic_analysis_embeds(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    svd = TruncatedSVD(3, random_state=0)
    pipeline = make_pipeline(TfidfVectorizer(), svd, Normalizer()).fit(TEXTS)
    path = saved(pipeline, tmp_path / "lsa.skops")

    model = open_source(str(path), ModelOptions()).load()

    assert isinstance(model, Predicts)
    assert isinstance(model, Embeds)
    assert not isinstance(model, GivesLogits)
    np.testing.assert_allclose(model.embed(TEXTS), pipeline.transform(TEXTS))
    with pytest.raises(CapabilityError, match="no answers"):
        model.predict(TEXTS)


def test_tfidf_alone_embeds_what_is_not_too_long(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

    words = TfidfVectorizer().fit(TEXTS)
    model = open_source(
        str(saved(words, tmp_path / "words.skops")), ModelOptions()
    ).load()
    np.testing.assert_allclose(model.embed(TEXTS), words.transform(TEXTS).toarray())

    path = saved(HashingVectorizer(n_features=2**17), tmp_path / "hashed.skops")
    with pytest.raises(ModelError, match="TruncatedSVD"):
        open_source(str(path), ModelOptions()).load().embed(TEXTS)
