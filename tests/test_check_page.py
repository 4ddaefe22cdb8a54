"""docs/check.md is true: its commands run, print what the page says, and its table names the codes that there are."""

import re
import shlex
from pathlib import Path

import pytest

from monde.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/check.md").read_text(encoding="utf-8")
_NUMBER = re.compile(r"-?\d[\d,.]*")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_commands_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = blocks("text")
    monkeypatch.chdir(tmp_path)
    printed = ""
    for line in "".join(blocks("sh")).splitlines():
        program, *words = shlex.split(line)
        assert program == "monde"
        assert main(words) == 0, line
        printed = capsys.readouterr().out
    # Figures differ in their last digits from machine to machine; what is said of them does not.
    fingerprint = re.compile(r"\b[0-9a-f]{64}\b")
    masked = [_NUMBER.sub("#", fingerprint.sub("#", text)).strip() for text in (printed, shown)]
    assert masked[0] == masked[1]


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks("python")), {"__name__": "__main__"})


def test_every_code_is_on_the_page() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/monde/data/checking").glob("*.py"))
    given = set(re.findall(r'code="([a-z-]+)"', sources)) | {"unreadable", "not-finite", "pixels-do-not-carry-state"}
    listed = {name for row in PAGE.splitlines() if row.startswith("| `") for name in re.findall(r"`([a-z-]+)`", row)}
    assert given == listed
