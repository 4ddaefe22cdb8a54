"""Words of `monde ask` that make no request are refused before a run is opened, which takes a minute the first time."""

import pytest

from monde.cli import main


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["state"], "state needs what is seen"),
        (["plan", "--goal", "0:9"], "plan needs what is seen"),
        (["imagine", "--see", "0:0"], "imagine needs a course of action"),
        (["plan", "--see", "0:0"], "plan takes one --goal"),
        (["plan", "--see", "0:0", "--goal", "0:9", "--keep-out", "state"], "region 'state' cannot be understood"),
        (["plan", "--see", "0:0", "--goal", "0:9", "--within", "state=1"], "range 'state=1' cannot be understood"),
    ],
)
def test_words_are_judged_before_the_run(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    question, *rest = words
    # There is no such run: whoever opened it first would say that.
    assert main(["ask", "runs/nowhere", question, *rest]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
