"""STRIPS in PDDL: domains without types, instances, plans executed step by step, shortest plans by breadth first.

After Fikes and Nilsson (1971) and PDDL's `:strips` (McDermott et al., 1998): enough for PlanBench's blocks worlds.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from monde.errors import DataError

Atom = tuple[str, ...]
"""A predicate and its objects."""

Step = tuple[str, ...]
"""An action and its objects."""

_TOKEN = re.compile(r"[()]|[^\s()]+")
MAX_TOKENS = 100_000
MAX_STATES = 200_000
"""States that the search for a plan looks at."""


@dataclass(frozen=True)
class Action:
    """One action: its parameters, what must hold, what then holds, and what does no longer."""

    name: str
    parameters: tuple[str, ...]
    needs: frozenset[Atom]
    adds: frozenset[Atom]
    removes: frozenset[Atom]

    def grounded(self, objects: Sequence[str]) -> tuple[frozenset[Atom], frozenset[Atom], frozenset[Atom]]:
        """Needs, adds and removes for these objects."""
        named = dict(zip(self.parameters, objects, strict=True))

        def ground(atoms: frozenset[Atom]) -> frozenset[Atom]:
            return frozenset((atom[0], *(named.get(term, term) for term in atom[1:])) for atom in atoms)

        return ground(self.needs), ground(self.adds), ground(self.removes)


@dataclass(frozen=True)
class Instance:
    """Objects, what holds at first, and what is to hold."""

    objects: tuple[str, ...]
    start: frozenset[Atom]
    goal: frozenset[Atom]


def read_domain(text: str) -> dict[str, Action]:
    """Actions by name.

    Raises:
        DataError: This is no PDDL domain of the kind.
    """
    actions = {}
    for part in _parts(text):
        if part[0] == ":action":
            fields = {str(part[k]): part[k + 1] for k in range(2, len(part) - 1, 2)}
            adds, removes = _effects(fields.get(":effect"))
            parameters = fields.get(":parameters")
            actions[str(part[1])] = Action(
                name=str(part[1]),
                parameters=tuple(map(str, parameters if isinstance(parameters, list) else [])),
                needs=frozenset(_atoms(fields.get(":precondition"))),
                adds=frozenset(adds),
                removes=frozenset(removes),
            )
    if not actions:
        raise DataError("this PDDL domain has no action", got=text[:60])
    return actions


def read_instance(text: str) -> Instance:
    """The problem of a PDDL file.

    Raises:
        DataError: This is no PDDL problem of the kind.
    """
    found = {str(part[0]): part[1:] for part in _parts(text)}
    if not {":objects", ":init", ":goal"} <= set(found):
        raise DataError("this is no PDDL problem", got=sorted(found), expected=":objects, :init and :goal")
    return Instance(
        objects=tuple(map(str, found[":objects"])),
        start=frozenset(_atoms(["and", *found[":init"]])),
        goal=frozenset(_atoms(found[":goal"][0])),
    )


def leads_to_goal(actions: Mapping[str, Action], instance: Instance, plan: Sequence[Step]) -> bool:
    """Whether every step may be taken when it is, and the goal holds at the end."""
    state = instance.start
    for name, *objects in plan:
        action = actions.get(name)
        if action is None or len(objects) != len(action.parameters) or not set(objects) <= set(instance.objects):
            return False
        needs, adds, removes = action.grounded(objects)
        if not needs <= state:
            return False
        state = (state - removes) | adds
    return instance.goal <= state


def shortest_plan(actions: Mapping[str, Action], instance: Instance) -> tuple[Step, ...] | None:
    """A shortest plan, the first in the order of actions and objects; none within the bound of states."""
    steps = [
        ((action.name, *objects), action.grounded(objects))
        for action in actions.values()
        for objects in product(instance.objects, repeat=len(action.parameters))
    ]
    came: dict[frozenset[Atom], tuple[frozenset[Atom], Step] | None] = {instance.start: None}
    waiting = deque([instance.start])
    while waiting and len(came) <= MAX_STATES:
        state = waiting.popleft()
        if instance.goal <= state:
            return tuple(_back(came, state))[::-1]
        for step, (needs, adds, removes) in steps:
            if needs <= state:
                after = (state - removes) | adds
                if after not in came:
                    came[after] = (state, step)
                    waiting.append(after)
    return None


def _back(
    came: Mapping[frozenset[Atom], tuple[frozenset[Atom], Step] | None], state: frozenset[Atom]
) -> Iterator[Step]:
    before = came[state]
    while before is not None:
        state, step = before
        yield step
        before = came[state]


def _parts(text: str) -> list[list[object]]:
    """The parts of a definition that are lists."""
    tokens = _TOKEN.findall(re.sub(r";.*", "", text).lower())
    if len(tokens) > MAX_TOKENS:
        raise DataError("this PDDL is too long", got=len(tokens), expected=f"at most {MAX_TOKENS} words")
    stack: list[list[object]] = [[]]
    for token in tokens:
        if token == "(":
            stack.append([])
        elif token == ")" and len(stack) > 1:
            done = stack.pop()
            stack[-1].append(done)
        elif token == ")":
            break
        else:
            stack[-1].append(token)
    whole = stack[0][0] if stack[0] else None
    if len(stack) != 1 or not isinstance(whole, list) or whole[:1] != ["define"]:
        raise DataError("this is no PDDL: its brackets do not close, or it defines nothing", got=text[:60])
    return [part for part in whole[1:] if isinstance(part, list) and part]


def _atoms(told: object) -> list[Atom]:
    """The atoms of one, or of (and …)."""
    if not isinstance(told, list) or not told:
        return []
    each = told[1:] if told[0] == "and" else [told]
    if not all(isinstance(atom, list) and all(isinstance(term, str) for term in atom) for atom in each):
        raise DataError("this PDDL uses more than STRIPS", got=str(told)[:80])
    return [tuple(atom) for atom in each]


def _effects(told: object) -> tuple[list[Atom], list[Atom]]:
    parts = told[1:] if isinstance(told, list) and told[:1] == ["and"] else [told]
    removed = [part[1] for part in parts if isinstance(part, list) and part[:1] == ["not"]]
    added = [part for part in parts if isinstance(part, list) and part[:1] != ["not"]]
    return _atoms(["and", *added]), _atoms(["and", *removed])
