"""The index page of a release as a reviewer sees it, and the way to its suites."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver

from compat_eval.cli import main

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
POLICY = """
name: chat
suites:
  maths: {tier: critical, max_drop: 0.02}
  law-and-order: {max_drop: 0.02}
  a-suite-whose-name-is-long-and-has-no-place-to-break: {tier: advisory, max_drop: 0.1}
  lost: {max_drop: 0.02}
pooled:
  - {quantity: pooled_accuracy_change, at_least: -0.01, semantics: certify}
  - {quantity: max_drop, suites: [maths, law-and-order]}
"""
NAMES = (
    "maths",
    "law-and-order",
    "a-suite-whose-name-is-long-and-has-no-place-to-break",
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    for at, name in enumerate(NAMES):
        for side in ("old", "new"):
            broken = 30 * at if side == "new" else 0
            rows = [f"x{i},y,{'n' if i < broken else 'y'}" for i in range(300)]
            (folder / side).mkdir(exist_ok=True)
            text = "\n".join(["id,gold,prediction", *rows]) + "\n"
            (folder / side / f"{name}.csv").write_text(text, "utf-8")
    (folder / "policy.yaml").write_text(POLICY, "utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        with pytest.raises(SystemExit) as end:
            main(["release", "policy.yaml", "old", "new", "--out", "r", "--quiet"])
    finally:
        os.chdir(before)
    assert end.value.code == 1
    return folder / "r"


@pytest.fixture
def opened(browser: webdriver.Chrome, release: Path) -> webdriver.Chrome:
    browser.set_window_size(1300, 900)
    browser.get("about:blank")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert (release / "index.html").is_file()
    browser.get((release / "index.html").as_uri())
    return browser


def test_it_opens_quietly_and_fits_every_window(opened: webdriver.Chrome) -> None:
    for width in (1300, 800, 420):
        opened.set_window_size(width, 900)
        wide = opened.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 0, width
    assert opened.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_every_suite_that_was_compared_is_one_click_away(
    opened: webdriver.Chrome,
) -> None:
    links = opened.execute_script(
        "return [...document.querySelectorAll('th a')]"
        ".map((link) => [link.textContent, link.href])"
    )

    assert {name for name, _ in links} == {*NAMES}
    for name, address in links:
        opened.get(address)
        assert name in opened.title


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_in_both_colours(opened: webdriver.Chrome, theme: str) -> None:
    opened.execute_script(f"document.getElementById('theme-{theme}').click()")

    assert opened.execute_script(CONTRAST) == []


def test_axe_finds_nothing_that_keeps_people_out(
    opened: webdriver.Chrome, violations: Callable[[], list[list[str]]]
) -> None:
    assert opened.title
    assert violations() == []
