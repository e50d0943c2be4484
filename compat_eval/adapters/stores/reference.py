"""References to stored vectors: `SCHEME:LOCATION#key=value,…`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from compat_eval.core.errors import ModelError

_EVERYWHERE = ("model", "queries", "search", "check")
_SECRET = ("pass", "pwd", "token", "secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReference:
    """A reference to stored vectors, taken apart.

    Attributes:
        text: What the user wrote.
        location: A file, or a table.
        settings: What follows the `#`, by key. `model` names the model that made the
            vectors, where the store does not say it; `queries` is a file with the
            vectors of queries, where the store holds those of documents alone; `search`
            says what searches; `check` names a model that embeds a sample again.

    """

    text: str
    location: str
    settings: Mapping[str, str]

    def get(self, key: str, default: str = "") -> str:
        """Return a setting."""
        return self.settings.get(key, default)


def parse_store(scheme: str, location: str, *keys: str) -> StoreReference:
    """Take a reference apart.

    Args:
        scheme: What stood before the location.
        location: What followed it.
        keys: Settings that this scheme knows, besides those of every scheme.

    Examples:
        >>> parse_store("faiss", "docs.faiss#model=minilm-3").get("model")
        'minilm-3'

    Raises:
        ModelError: A setting is unknown, or is a password.

    """
    place, _, rest = location.partition("#")
    known = (*keys, *_EVERYWHERE)
    settings = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if any(word in key.lower() for word in _SECRET):
            raise ModelError(
                f"{scheme}:{place}: a reference is printed and stored, so it holds no "
                f"{key}; set PGPASSWORD, or use a file of passwords"
            )
        if not equals or key not in known:
            raise ModelError(
                f"{scheme}:{place}: {part!r} after # is no setting; expected any of "
                f"{', '.join(f'{one}=…' for one in known)}, joined by commas"
            )
        settings[key] = unquote(value)
    return StoreReference(
        text=f"{scheme}:{location}", location=place, settings=settings
    )
