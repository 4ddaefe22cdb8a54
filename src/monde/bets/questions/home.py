"""The language side's home ground: text tasks on space, in which there is nothing to see.

StepGame (Shi et al., arXiv 2204.08292), relations after k hops; BIG-Bench-Hard (Suzgun et al., arXiv 2210.09261), its
spatial and counting tasks. A contestant that reads sensors alone cannot read them.
"""

import json
import re
from pathlib import Path

from monde.bets.questions.draw import Draw, Made
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
