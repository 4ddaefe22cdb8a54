"""STRIPS: plans are judged step by step, found by breadth, and what is no PDDL of the kind is refused."""

import pytest

from monde.bets.strips import leads_to_goal, read_domain, read_instance, shortest_plan
from monde.errors import DataError

DOMAIN = """(define (domain lamp) ; a lamp in one of several rooms
  (:predicates (at ?x) (lit ?x) (dark))
  (:action go :parameters (?a ?b) :precondition (at ?a) :effect (and (at ?b) (not (at ?a))))
  (:action light :parameters (?a) :precondition (and (at ?a) (dark)) :effect (and (lit ?a) (not (dark)))))"""
PROBLEM = """(define (problem p) (:domain lamp) (:objects hall attic)
  (:init (at hall) (dark)) (:goal (and (lit attic) (at hall))))"""


def test_plans_are_found_and_judged() -> None:
    actions, instance = read_domain(DOMAIN), read_instance(PROBLEM)
    plan = shortest_plan(actions, instance)
    assert plan == (("go", "hall", "attic"), ("light", "attic"), ("go", "attic", "hall"))
    assert leads_to_goal(actions, instance, plan)
    for wrong in (plan[:2], plan[1:], (*plan, ("light", "hall")), (("fly", "hall"),), (("go", "hall"),), ()):
        assert not leads_to_goal(actions, instance, wrong)
    assert not leads_to_goal(actions, instance, (("go", "hall", "cellar"),))
    never = read_instance(PROBLEM.replace("(dark)", ""))
    assert shortest_plan(actions, never) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(define (domain x)",
        "(domain x)",
        "(define (domain x) (:predicates (a)))",
        DOMAIN.replace("(at ?a) (dark)", "(or (at ?a) (dark))"),
    ],
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read_domain(text)


def test_what_is_no_problem_is_refused() -> None:
    with pytest.raises(DataError, match="no PDDL problem"):
        read_instance(DOMAIN)
