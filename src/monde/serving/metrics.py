"""What is counted, for Prometheus."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Bounds of the histograms of time."""


@dataclass(frozen=True)
class Metrics:
    """All metrics of one server, in a registry of its own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    answers: Counter = field(init=False)
    answer_seconds: Histogram = field(init=False)
    batch_rows: Histogram = field(init=False)
    decide_seconds: Histogram = field(init=False)
    think_seconds: Histogram = field(init=False)
    sessions: Gauge = field(init=False)
    waiting: Gauge = field(init=False)
    stopped: Gauge = field(init=False)

    def __post_init__(self) -> None:
        held = self.registry
        made = {
            "requests": Counter("monde_requests", "HTTP requests answered", ("route", "status"), registry=held),
            "answers": Counter("monde_answers", "Answers of control sessions, by kind", ("kind",), registry=held),
            "answer_seconds": Histogram(
                "monde_answer_seconds", "From a message's arrival to its answer", buckets=SECONDS, registry=held
            ),
            "batch_rows": Histogram(
                "monde_batch_rows", "Sessions decided for at once", buckets=(1, 2, 4, 8, 16), registry=held
            ),
            "decide_seconds": Histogram("monde_decide_seconds", "Of one batch", buckets=SECONDS, registry=held),
            "think_seconds": Histogram(
                "monde_think_seconds", "Of one question over HTTP or MCP", ("verb",), buckets=SECONDS, registry=held
            ),
            "sessions": Gauge("monde_sessions", "Control sessions that are held", registry=held),
            "waiting": Gauge("monde_decisions_waiting", "Decisions that wait", registry=held),
            "stopped": Gauge("monde_stopped", "1 while an operator's stop holds", registry=held),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    @property
    def answered(self) -> int:
        """Answers of control sessions so far."""
        samples = (sample for metric in self.answers.collect() for sample in metric.samples)
        return int(sum(sample.value for sample in samples if sample.name == "monde_answers_total"))
