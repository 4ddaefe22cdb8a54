"""The command line as a user meets it: help, errors, results, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monde import __version__
from monde.cli import main
from monde.cli.entry import block
from monde.cli.report import Report
from monde.errors import MondeError, UsageError
from tests.report.fake_run import write_metrics


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_help_imports_nothing_heavy() -> None:
    code = """
import sys
from monde.cli import main
try:
    main(["train", "--help"])
except SystemExit as ended:
    assert ended.code == 0
heavy = {"torch", "numpy", "pyarrow", "matplotlib", "jinja2", "PIL", "safetensors", "gymnasium"} & set(sys.modules)
print("heavy:", sorted(heavy), file=sys.stderr)
"""
    done = run_python(code)
    assert "--minutes" in done.stdout
    assert "heavy: []" in done.stderr, done.stderr


def test_module_and_version() -> None:
    done = subprocess.run([sys.executable, "-m", "monde", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"monde {__version__}\n"


def test_no_words_give_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert "record" in capsys.readouterr().out


def test_unknown_verbs_and_flags_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["recrod", "x"], ["record", "tworoom", "--epsiodes", "3"], ["train", "data", "--size", "huge"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "--episodes" in capsys.readouterr().err


def test_an_error_is_one_block_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "no/such/run"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()[1:]  # the first says what was being done
    assert lines[0] == "monde: no/such/run is not a run"
    assert lines[1].split() == ["got:", "no", "such", "folder"]
    assert lines[2].startswith("  remedy:   ")


def test_block_wraps_and_leaves_out_what_is_unknown() -> None:
    text = block(MondeError("it failed.", got="word " * 40), columns=60)
    lines = text.splitlines()
    assert lines[0] == "monde: it failed"
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 12) for line in lines[2:])
    assert "remedy" not in text
    assert block(UsageError("no")) == "monde: no"


def test_minutes_0_is_refused_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(tmp_path), "--run", str(tmp_path / "run"), "--minutes", "0"]) == 2
    assert "remedy:" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_quiet_says_nothing_and_json_says_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_metrics_run(tmp_path)
    result = tmp_path / "deep" / "result.json"
    assert main(["report", str(tmp_path), "--quiet", "--json", str(result)]) == 0
    assert capsys.readouterr() == ("", "")
    document = json.loads(result.read_text())
    assert document["report"] == str(tmp_path / "report.html")
    assert document["bytes"] == (tmp_path / "report.html").stat().st_size


def test_json_to_stdout_leaves_stdout_to_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_metrics_run(tmp_path)
    assert main(["report", str(tmp_path), "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verb"] == "report"
    assert "open it in any browser" in err


@pytest.mark.parametrize("target", ["folder", "file/below.json"])
def test_a_result_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_metrics_run(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    assert main(["report", str(tmp_path), "--json", str(tmp_path / target)]) == 2
    assert "--json" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_unforeseen_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr(Report, "execute", fail)
    with pytest.raises(ZeroDivisionError, match="unforeseen"):
        main(["report", "x"])


def test_ctrl_c_says_what_is_kept(tmp_path: Path) -> None:
    words = ["record", "tworoom", "--out", str(tmp_path / "data"), "--batch", "4", "--steps", "10", "--episodes"]
    command = [sys.executable, "-m", "monde", *words, "100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("recording tworoom: 0 of 100,000 episodes")
    deadline = time.monotonic() + 30
    while not list((tmp_path / "data" / "meta" / "episodes").rglob("*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "monde: stopped. Every complete group of episodes is kept in" in err
    assert "Traceback" not in err
    # The same command goes on from there, as it said.
    assert main([*words, "8", "--quiet"]) == 0
    assert main(["check", str(tmp_path / "data"), "--quiet"]) == 0


def write_metrics_run(root: Path) -> None:
    from monde.store import RunFolder

    write_metrics(RunFolder(root), lines=2)
