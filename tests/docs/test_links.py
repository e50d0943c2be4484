"""Links between pages lead somewhere, and pages name no place on one machine."""

import re
from pathlib import Path

import pytest

from docs import generate

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "suites/*.md", "experiments/*/*.md")
    for path in generate.ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
MACHINE = re.compile(r"(?<![\w.])/(work|tmp|root|home)/")


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", FENCED.sub("", page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head).strip().lower() for head in heads)
    return {head.replace(" ", "-") for head in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(generate.ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = LINK.findall(FENCED.sub("", path.read_text("utf-8")))
    inner = [link for link in links if not re.match(r"[a-z]+:", link)]

    broken = []
    for link in inner:
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        missing = not target.exists() or (
            anchor and anchor not in anchors(target.read_text("utf-8"))
        )
        broken += [link] if missing else []

    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(generate.ROOT)))
def test_a_page_names_no_place_on_one_machine(path: Path) -> None:
    assert MACHINE.findall(path.read_text("utf-8")) == []


def test_every_page_of_the_documentation_is_linked_from_the_readme() -> None:
    linked = LINK.findall((generate.ROOT / "README.md").read_text("utf-8"))
    pages = [f"docs/{path.name}" for path in generate.ROOT.glob("docs/*.md")]

    assert [page for page in pages if page not in linked] == []


def test_the_picture_is_small() -> None:
    picture = generate.ROOT / "docs/images/report.png"

    assert 20_000 < picture.stat().st_size <= 200_000
