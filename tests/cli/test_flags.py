"""The flags are a contract: they do not change silently.

Where a change is meant: MONDE_WRITE_FLAGS=1 pytest tests/cli/test_flags.py, and look at the difference.
"""

import dataclasses
import json
import os
import re
from pathlib import Path

import pytest
import tyro

from monde.cli import main
from monde.cli.entry import CONFIG, Command

GOLDEN = Path(__file__).with_name("flags.json")
WORDS = {
    "record": ["tworoom"],
    "convert": ["films", "data/x"],
    "check": ["data/x"],
    "train": ["data/x"],
    "refine": ["runs/x"],
    "adapt": ["runs/a"],
    "actor": ["runs/x"],
    "far": ["runs/x"],
    "trust": ["runs/x"],
    "plan": ["runs/x"],
    "serve": ["runs/x"],
    "mcp": ["runs/x"],
    "score": ["runs/x"],
    "physics": ["runs/x"],
    "surprise": ["runs/x", "film.mp4"],
    "ask": ["runs/x", "state"],
    "report": ["runs/x"],
    "view": ["runs/x"],
    "export": ["runs/x"],
    "push": ["runs/x", "user/name"],
    "pull": ["user/name"],
    "bets build": ["sets/x"],
    "bets run": ["sets/x"],
    "bets report": ["runs/x", "--questions", "sets/x"],
    "demo": [],
}
FLAG = re.compile(r"^[│| ]? ?(--?[\w-]+(?:, --?[\w-]+)*)(?: (\S+(?: \.\.\.)?))?(?:\s{2,}|\s*[│|]|$)")


def help_of(words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)


def surface(verb: str, text: str) -> dict[str, object]:
    """What a user can type for one verb, and what it means when left out."""
    found = (FLAG.match(line) for line in text.splitlines())
    flags = {match.group(1): match.group(2) or "" for match in found if match}
    assert {"-h, --help", "--json", "--quiet"} <= set(flags), text
    command = tyro.cli(Command, prog="monde", args=[*verb.split(), *WORDS[verb]], config=CONFIG)
    defaults = {name: str(value) for name, value in dataclasses.asdict(command.verb).items()}
    return {"flags": flags, "defaults": defaults}


def test_flags_are_as_they_were(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = {verb: surface(verb, help_of(verb.split(), capsys, monkeypatch)) for verb in WORDS}
    if os.environ.get("MONDE_WRITE_FLAGS"):
        GOLDEN.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    assert now == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_verb_is_frozen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of([], capsys, monkeypatch)
    verbs = re.search(r"\{([\w,]+)\}", text)
    assert verbs is not None
    assert set(verbs.group(1).split(",")) == {words.split()[0] for words in WORDS}


@pytest.mark.parametrize("verb", WORDS)
def test_every_verb_takes_json_and_quiet_on_either_side(verb: str) -> None:
    asked, common = [*verb.split(), *WORDS[verb]], ["--quiet", "--json", "-"]
    for words in ([*common, *asked], [*asked, *common]):
        command = tyro.cli(Command, prog="monde", args=words, config=CONFIG)
        assert (command.quiet, command.json) == (True, Path("-"))
