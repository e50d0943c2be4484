import pytest

from compat_eval.adapters.options import ModelOptions
from compat_eval.adapters.stores import pgvector
from compat_eval.adapters.stores.reference import parse_store
from compat_eval.core.errors import ModelError

OPTIONS = ModelOptions()


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


@pytest.mark.parametrize("key", ["password", "PASSWORD", "sslpassword", "token"])
def test_a_password_is_refused_and_never_shown(key: str) -> None:
    with pytest.raises(ModelError, match="PGPASSWORD") as told:
        parse_store("pgvector", f"items#{key}=hunter2")

    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("settings", ["", "#sslmode=require", "#dbname=a,port"])
def test_a_url_of_a_server_is_refused_and_never_shown(settings: str) -> None:
    with pytest.raises(ModelError, match="expected a table") as told:
        pgvector.open_source(f"postgresql://me:hunter2@host/db{settings}", OPTIONS)

    assert "hunter2" not in str(told.value)
