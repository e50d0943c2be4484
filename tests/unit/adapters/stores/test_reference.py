import pytest

from compat_eval.adapters.stores.reference import parse_store
from compat_eval.core.errors import ModelError


def test_settings_follow_the_number_sign() -> None:
    found = parse_store("faiss", "a.faiss#model=m 1%2C2,id=x", "id")

    assert (found.location, found.get("model"), found.get("id")) == (
        "a.faiss",
        "m 1,2",
        "x",
    )
    assert found.get("table", "t") == "t"
    assert found.text == "faiss:a.faiss#model=m 1%2C2,id=x"


@pytest.mark.parametrize("setting", ["modle=m", "model", "id=x"])
def test_a_setting_that_is_not_known_is_told(setting: str) -> None:
    with pytest.raises(ModelError, match=r"is no setting; expected any of model=…"):
        parse_store("faiss", f"a.faiss#{setting}")
