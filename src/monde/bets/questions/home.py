"""The language side's home ground: text tasks on space, in which there is nothing to see.

StepGame (Shi et al., arXiv 2204.08292), relations after k hops; BIG-Bench-Hard (Suzgun et al., arXiv 2210.09261), its
spatial and counting tasks. PlanBench (Valmeekam et al., arXiv 2206.10498), its blocks world: is a plan valid? A
contestant that reads sensors alone cannot read them.
"""

import json
import re
from pathlib import Path

import numpy as np

from monde.bets.questions.draw import Draw, Made
from monde.bets.strips import Action, Instance, Step, leads_to_goal, read_domain, read_instance, shortest_plan
from monde.bets.types import Grade
from monde.errors import DataError
from monde.limits import MAX_JSON_BYTES

HOPS: dict[Grade, tuple[int, ...]] = {"easy": (1, 2, 3), "middle": (4, 5, 6), "hard": (7, 8, 9, 10)}
RELATIONS = ("above", "below", "left", "right", "upper-left", "upper-right", "lower-left", "lower-right", "overlap")
BBH: dict[Grade, tuple[str, ...]] = {
    "easy": ("navigate", "penguins_in_a_table"),
    "middle": ("reasoning_about_colored_objects", "tracking_shuffled_objects_three_objects"),
    "hard": ("geometric_shapes", "tracking_shuffled_objects_five_objects"),
}
MYSTERY = {
    "clear": "province",
    "ontable": "planet",
    "handempty": "harmony",
    "holding": "pain",
    "on": "craves",
    "pick-up": "attack",
    "put-down": "succumb",
    "stack": "overcome",
    "unstack": "feast",
}
"""The blocks world's words in PlanBench's mystery domain, which means nothing to who knows of blocks."""

LONG_STEPS = 7
"""Shortest plans of easy questions have fewer steps, those of middle ones at least as many."""

_WORD = re.compile(r"[a-z-]+")
_OPTION = re.compile(r"^(?:\(([A-Z])\)|-) (.+)$", re.MULTILINE)


class Home:
    """Questions of the text sets in a folder.

    Args:
        folder: That holds `stepgame/` and `bbh/`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[str, object] = {}

    def stepgame(self, draw: Draw) -> Made:
        """Nine relations, the hops of the grade in turn."""
        hops = HOPS[draw.grade][draw.number % len(HOPS[draw.grade])]
        told = self._read(f"stepgame/clean_qa{hops}_valid.json")
        if not isinstance(told, dict):
            raise DataError("StepGame is malformed", got=type(told).__name__, expected="an object of questions")
        item = told[str(int(draw.generator.integers(len(told))))]
        order = [RELATIONS[int(index)] for index in draw.generator.permutation(len(RELATIONS))]
        return draw.choice(
            str(item["question"]),
            " ".join(map(str, item["story"])),
            order,
            order.index(str(item["label"])),
            about={"ask": "text"},
            sensors={},
        )

    def bbh(self, draw: Draw) -> Made:
        """The tasks of the grade in turn; options are shuffled where letters do not refer to one another."""
        name = BBH[draw.grade][draw.number % len(BBH[draw.grade])]
        told = self._read(f"bbh/{name}.json")
        examples = told.get("examples") if isinstance(told, dict) else None
        if not isinstance(examples, list):
            raise DataError(f"BIG-Bench-Hard's {name} is malformed", expected="a list of examples")
        item = examples[int(draw.generator.integers(len(examples)))]
        text, _, listed = str(item["input"]).partition("Options:")
        options = [(letter, said.strip()) for letter, said in _OPTION.findall(listed)]
        target = str(item["target"]).strip()
        order = [options[int(index)] for index in draw.generator.permutation(len(options))]
        right = next(k for k, (letter, said) in enumerate(order) if target in (f"({letter})", said))
        return draw.choice(
            "Which option answers the question?",
            text.strip(),
            [said for _, said in order],
            right,
            about={"ask": "text"},
            sensors={},
        )

    def planbench(self, draw: Draw) -> Made:
        """Whether a plan is valid: half of the plans are; easy ones are short, hard ones in words of no meaning."""
        files = sorted((self._folder / "planbench/blocksworld/generated_basic").glob("*.pddl"))
        if not files:
            raise DataError(
                f"{self._folder} holds no planbench", expected="planbench/blocksworld/generated_basic/*.pddl"
            )
        kind = "_mystery" if draw.grade == "hard" else ""
        domain = self._text(self._folder / f"planbench/domains/blocksworld{kind}_generated_domain.pddl")
        actions = read_domain(domain)
        while True:
            told = self._text(files[int(draw.generator.integers(len(files)))])
            if draw.grade == "hard":
                told = _WORD.sub(lambda match: MYSTERY.get(match.group(), match.group()), told)
            instance = read_instance(told)
            plan = shortest_plan(actions, instance)
            if plan and (draw.grade == "hard" or (len(plan) >= LONG_STEPS) == (draw.grade == "middle")):
                break
        valid = draw.turn % 2 == 0
        shown = plan if valid else _broken(draw.generator, actions, instance, plan)
        steps = "\n".join(f"{index + 1}. ({' '.join(step)})" for index, step in enumerate(shown))
        order = ("yes", "no") if draw.turn // 2 % 2 == 0 else ("no", "yes")
        return draw.choice(
            "Is the plan valid: may every step be taken when it is, and does the goal hold at the end?",
            f"{domain.strip()}\n\n{told.strip()}\n\nPlan:\n{steps}",
            order,
            order.index("yes" if valid else "no"),
            about={"ask": "text"},
            sensors={},
        )

    def _text(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")[:MAX_JSON_BYTES]
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{path} cannot be read", got=error, remedy="give the folder that holds planbench/"
            ) from error

    def _read(self, name: str) -> object:
        if name not in self._opened:
            path = self._folder / name
            try:
                if path.stat().st_size > MAX_JSON_BYTES:
                    raise DataError(f"{path} is too large", expected=f"at most {MAX_JSON_BYTES} bytes")
                self._opened[name] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                remedy = "give the folder that holds stepgame/ and bbh/"
                raise DataError(f"{path} cannot be read", got=error, remedy=remedy) from error
        return self._opened[name]


def _broken(
    generator: np.random.Generator, actions: dict[str, Action], instance: Instance, plan: tuple[Step, ...]
) -> tuple[Step, ...]:
    """The plan with one step left out, two exchanged, or another object in one, so that it is not valid any more."""
    changed: list[tuple[Step, ...]] = []
    for k, step in enumerate(plan):
        changed.append((*plan[:k], *plan[k + 1 :]))
        changed += [(*plan[:k], plan[k + 1], step, *plan[k + 2 :])] if k + 1 < len(plan) else []
        changed += [(*plan[:k], (*step[:-1], other), *plan[k + 1 :]) for other in instance.objects if other != step[-1]]
    wrong = [one for one in changed if not leads_to_goal(actions, instance, one)]
    return wrong[int(generator.integers(len(wrong)))]
