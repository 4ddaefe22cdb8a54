"""Language models: a real client against a real server process, and a real model in a folder."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monde.bets.files import QuestionSet
from monde.bets.foresight import Simulated
from monde.bets.language import Endpoint, LanguageModel, parse
from monde.bets.language.local import LocalModel
from monde.bets.language.prompting import messages_of
from monde.bets.questions.build import build_set
from monde.bets.running import Budget, answers_of, marks_of, run_bets
from monde.bets.situations import read_text
from monde.bets.solving import Solver
from monde.bets.types import Question, Truth
from monde.errors import StoreError, UsageError

KEY = "secret-key-8f2"


class Server:
    """The process, its address, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.state = folder / "state.jsonl"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("server.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self.state)])
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def asked(self, model: str) -> list[dict[str, object]]:
        lines = self.state.read_text(encoding="utf-8").splitlines() if self.state.exists() else []
        return [told for told in map(json.loads, lines) if told["model"] == model]

    def endpoint(self, model: str, **fields: object) -> Endpoint:
        given = {"key_variable": "MONDE_TEST_KEY", "timeout_seconds": 20.0, "max_tokens": 64, **fields}
        return Endpoint(url=f"http://127.0.0.1:{self.port}/v1", model=model, **given)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    os.environ["MONDE_TEST_KEY"] = KEY
    yield made
    del os.environ["MONDE_TEST_KEY"]
    made.stop()


def choice(**fields: object) -> Question:
    given = {"id": "q", "text": "a at (1.0, 2.0) px", "options": ("left", "right", "up"), **fields}
    return Question(family="what-if", grade="easy", kind="choice", prompt="Which?", **given)


NUMBER = Question(id="n", family="where-will-it-be", grade="easy", kind="number", prompt="x?", text="", unit="px")
PLAN = Question(
    id="p",
    family="how-to-get-there",
    grade="easy",
    kind="plan",
    prompt="how?",
    text="",
    row=("ax", "ay", "steps"),
    rows=9,
)


@pytest.mark.parametrize(
    ("question", "raw", "expected", "note"),
    [
        (choice(), '{"answer": "b", "confidence": 0.5}', (1, 0.5), ""),
        (choice(), '{"answer": "right", "confidence": "70%"}', (1, 0.7), ""),
        (choice(), 'First {"answer": "A"} but no: {"answer": "(C)"}', (2, None), ""),
        (choice(), "**Answer:** B", (1, None), "said in prose"),
        (choice(), "right", (1, None), "said in prose"),
        (choice(), '{"answer": "A", "confidence": 2.0}', (0, None), "a confidence of 2.0 was left out"),
        (choice(), '{"answer": "A", "confidence": NaN}', (0, None), "a confidence of nan was left out"),
        (choice(), '{"answer": "D"}', "unparsable", "its answer is none of what was asked for"),
        (choice(), "La respuesta no la sé.", "unparsable", "no answer was found in it"),
        (choice(), "", "unparsable", "nothing was said"),
        (choice(), "{" * 100_000, "unparsable", "no answer was found in it"),
        (choice(), "word " * 100_000, "unparsable", "no answer was found in it"),
        (choice(), "I’m sorry, I can't do this.", "refused", "it declined"),
        (NUMBER, '{"answer": "31.5 px", "confidence": 1}', (31.5, 1.0), ""),
        (NUMBER, "The answer is -4.25 px.", (-4.25, None), "said in prose"),
        (NUMBER, '{"answer": 1e999}', "unparsable", "its answer is none of what was asked for"),
        (NUMBER, '{"answer": true}', "unparsable", "its answer is none of what was asked for"),
        (PLAN, '{"answer": [[1, 0, 5], [0, -1, 2]]}', (((1.0, 0.0, 5.0), (0.0, -1.0, 2.0)), None), ""),
        (PLAN, '{"answer": [1, 0, 5]}', (((1.0, 0.0, 5.0),), None), ""),
        (PLAN, '{"answer": [{"ax": 1, "ay": 0, "steps": 5}]}', (((1.0, 0.0, 5.0),), None), ""),
        (PLAN, '{"answer": [[1, 0]]}', "unparsable", "its answer is none of what was asked for"),
        (PLAN, "go right", "unparsable", "no answer was found in it"),
    ],
)
def test_replies_are_read(question: Question, raw: str, expected: object, note: str) -> None:
    said = parse(question, raw)
    assert said.note == note
    if isinstance(expected, str):
        assert said.failure == expected
    else:
        value = next(v for v in (said.choice, said.number, said.plan) if v is not None)
        assert (value, said.confidence) == expected


def test_a_streamed_reply_is_an_answer_with_its_cost(server: Server) -> None:
    endpoint = server.endpoint("steady", usd_per_million_in=1.0, usd_per_million_out=2.0)
    answer = LanguageModel(endpoint).answer(choice())
    assert (answer.choice, answer.confidence, answer.failure) == (0, 0.8, None)
    assert (answer.cost.tokens_in, answer.cost.tokens_out) == (10, 5)
    assert answer.cost.usd == pytest.approx(20e-6)
    assert answer.raw == '{"answer": "A", "confidence": 0.8}'
    assert server.asked("steady")[0]["key"] == "Bearer "
    whole = LanguageModel(server.endpoint("whole")).answer(choice())
    assert (whole.choice, whole.cost.tokens_in) == (0, 10)
    uncounted = LanguageModel(server.endpoint("uncounted")).answer(choice())
    assert "bounded by bytes" in uncounted.note
    assert uncounted.cost.tokens_in > 20


@pytest.mark.parametrize(
    ("model", "outcome"),
    [
        ("prose", 1),
        ("json-in-prose", 1),
        ("sure", 0),
        ("busy-twice", 0),
        ("spanish", "unparsable"),
        ("nothing", "unparsable"),
        ("sorry", "refused"),
        ("filtered", "refused"),
    ],
)
def test_what_servers_say(server: Server, model: str, outcome: object) -> None:
    answer = LanguageModel(server.endpoint(model)).answer(choice())
    assert (answer.choice if answer.failure is None else answer.failure) == outcome
    if model == "busy-twice":
        assert len(server.asked(model)) == 3


def test_a_reply_without_an_end_is_cut_off_and_one_too_late_is_a_timeout(server: Server) -> None:
    endless = LanguageModel(server.endpoint("endless")).answer(choice())
    assert (endless.failure, "cut off" in endless.note) == ("unparsable", True)
    assert len(endless.raw) < 5_000
    assert endless.cost.tokens_out <= 64
    slow = LanguageModel(server.endpoint("slow", timeout_seconds=0.5)).answer(choice())
    assert (slow.failure, slow.cost.tokens_out) == ("timeout", 64)
    # Comments keep a connection open, and are no reply.
    kept = LanguageModel(server.endpoint("kept-open", timeout_seconds=0.5)).answer(choice())
    assert (kept.failure, kept.cost.tokens_out) == ("timeout", 64)


@pytest.mark.parametrize("status", ["401", "404"])
def test_what_no_other_question_would_mend_stops_the_run(server: Server, status: str) -> None:
    with pytest.raises(UsageError, match=status) as refused:
        LanguageModel(server.endpoint(status)).answer(choice())
    assert KEY not in str(refused.value)
    assert "secret-key" not in str(refused.value)


def test_servers_that_stay_busy_are_a_recorded_failure(server: Server) -> None:
    for status in ("429", "500"):
        answer = LanguageModel(server.endpoint(status, retries=1)).answer(choice())
        assert (answer.failure, f"answered by {status}" in answer.note) == ("error", True)
        assert len(server.asked(status)) == 2


def test_wrong_addresses_and_keys_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    here = server.endpoint("steady", retries=0)
    with pytest.raises(UsageError, match="cannot be reached"):
        LanguageModel(replace(here, url="http://127.0.0.1:9/v1")).answer(choice())
    with pytest.raises(UsageError, match="is not to be trusted"):
        LanguageModel(replace(here, url=here.url.replace("http:", "https:"))).answer(choice())
    for url in ("ftp://x/v1", "127.0.0.1/v1", f"https://user:{KEY}@x/v1"):
        with pytest.raises(UsageError, match="no URL") as wrong:
            replace(here, url=url)
        assert KEY not in str(wrong.value)
    for key in ("", " ", "schlüssel", "a\nb"):
        monkeypatch.setenv("MONDE_TEST_KEY", key)
        with pytest.raises(UsageError, match="no usable key"):
            LanguageModel(here).answer(choice())
    assert LanguageModel(replace(here, key_variable="")).answer(choice()).choice == 0


def test_shots_pictures_and_the_tool_reach_the_server(server: Server, few_set: QuestionSet) -> None:
    question = few_set.question(few_set.ids.index("what-if.easy.0000"))
    shot = few_set.question(few_set.ids.index("what-if.easy.0001"))
    truths = few_set.truths()
    few = LanguageModel(server.endpoint("steady"), "few-shot", shots=[(shot, truths[shot.id])], images=True)
    few.answer(question)
    sent = server.asked("steady")[-1]["messages"]
    assert isinstance(sent, list)
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert {part["type"] for part in sent[-1]["content"]} == {"text", "image_url"}
    tool = Solver("text ceiling", read_text, Simulated())
    helped = LanguageModel(server.endpoint("asks-tool"), "with-world-model", tool=tool).answer(question)
    assert helped.choice == truths[question.id].choice
    assert len(server.asked("asks-tool")) == 2
    assert helped.cost.tokens_in == 20
    for wrong in ({"style": "few-shot"}, {"style": "with-world-model"}, {"style": "zero-shot", "tool": tool}):
        with pytest.raises(UsageError):
            LanguageModel(server.endpoint("steady"), **wrong)


def test_a_run_survives_the_servers_death_and_goes_on(tmp_path: Path, few_set: QuestionSet) -> None:
    server = Server(tmp_path)
    server.start()
    os.environ["MONDE_TEST_KEY"] = KEY
    try:
        model = LanguageModel(server.endpoint("steady", retries=1))

        def kill(done: int, wanted: int) -> None:
            if done == 5:
                server.stop()

        with pytest.raises(UsageError, match="answers up to now are kept"):
            run_bets(few_set, model, tmp_path / "run", progress=kill)
        assert len(answers_of(tmp_path / "run", model.name)) == 5
        server.start()
        summary = run_bets(few_set, model, tmp_path / "run")
        assert (summary.answered, summary.new, summary.left) == (len(few_set), len(few_set) - 5, 0)
        assert len(server.asked("steady")) == len(few_set)
        again = run_bets(few_set, model, tmp_path / "run")
        assert (again.new, len(server.asked("steady"))) == (0, len(few_set))
    finally:
        server.stop()
        os.environ.pop("MONDE_TEST_KEY", None)
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert KEY.encode() not in written
    marks = marks_of(tmp_path / "run", few_set)
    assert marks == marks_of(tmp_path / "run", few_set)
    for id, answer in answers_of(tmp_path / "run", model.name).items():
        said = parse(next(q for q in few_set.questions(sensors=False) if q.id == id), answer.raw)
        assert (said.choice, said.number, said.failure) == (answer.choice, answer.number, answer.failure)


def test_budgets_hold(server: Server, tmp_path: Path, few_set: QuestionSet) -> None:
    priced = server.endpoint("uncounted", usd_per_million_in=1000.0, usd_per_million_out=1000.0)
    os.environ["MONDE_TEST_KEY"] = KEY
    for number, budget in enumerate((Budget(usd=0.0), Budget(tokens=0), Budget(minutes=0.0))):
        summary = run_bets(few_set, LanguageModel(priced), tmp_path / f"none{number}", budget)
        assert (summary.new, summary.left) == (0, len(few_set))
    model = LanguageModel(priced)
    most = max(model.most(question).usd for question in few_set.questions())
    some = Budget(usd=3.5 * most)
    summary = run_bets(few_set, model, tmp_path / "some", some)
    assert 0 < summary.new < len(few_set)
    assert summary.spent.usd <= some.usd
    # What was spent counts when the run is taken up again.
    assert run_bets(few_set, model, tmp_path / "some", some).new == 0
    left = [mark for mark in marks_of(tmp_path / "some", few_set)[model.name] if mark.failure == "budget"]
    assert len(left) == summary.left


def test_a_torn_line_another_set_and_other_settings(tmp_path: Path, server: Server, few_set: QuestionSet) -> None:
    os.environ["MONDE_TEST_KEY"] = KEY
    few = build_set(tmp_path / "set", n=1, families=("what-if",), grades=("easy", "hard"))
    model = LanguageModel(server.endpoint("steady"))
    run_bets(few, model, tmp_path / "run")
    path = next((tmp_path / "run/answers").glob("*.jsonl"))
    path.write_bytes(path.read_bytes()[:-20])
    assert run_bets(few, model, tmp_path / "run").new == 1
    with pytest.raises(StoreError, match="other questions"):
        run_bets(few_set, model, tmp_path / "run")
    other = LanguageModel(server.endpoint("prose"), name=model.name)
    with pytest.raises(UsageError, match="other settings"):
        run_bets(few, other, tmp_path / "run")
    path.write_bytes(b"{}\n")
    with pytest.raises(StoreError, match="line 1 is malformed"):
        marks_of(tmp_path / "run", few)


def test_a_local_model_answers_by_likelihood(tiny_model: Path, tmp_path: Path) -> None:
    model = LocalModel(tiny_model, device="cpu")
    answer = model.answer(choice())
    assert answer.choice in (0, 1, 2)
    assert answer.confidence is not None
    assert 1 / 3 <= answer.confidence <= 1
    assert replace(answer, seconds=0.0) == replace(model.answer(choice()), seconds=0.0)
    assert model.answer(choice(text="x" * 3000)).failure == "cannot-read"
    assert model.answer(NUMBER).raw.startswith('{"answer": ')
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError, match="no folder of a language model"):
        LocalModel(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(StoreError, match="no causal language model"):
        LocalModel(tmp_path)


def test_solved_questions_show_what_was_right() -> None:
    shots = [(choice(id="s"), Truth(id="s", choice=2)), (NUMBER, Truth(id="n", number=4.5))]
    sent = messages_of(choice(), think=True, images=False, shots=shots)
    assert ['"C"' in str(m["content"]) or "4.5" in str(m["content"]) for m in sent if m["role"] == "assistant"] == [
        True
    ] * 2
