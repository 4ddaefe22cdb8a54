"""Agents that close the loop in a world: belief, problem, planner; and recording a world into a dataset."""

from monde.agents.closed_loop import Agent, Decision, PlanningAgent, PolicyAgent, random_agent, stay_agent
from monde.agents.deciding import decide
from monde.agents.episodes import EpisodeResults, Judge, run_episodes
from monde.agents.finding import GoalFinder, reached
from monde.agents.observing import device_of, fit_clip, fit_frames, frame_clip, observation_to_clip, resolve_goal
from monde.agents.policies import make_policy
from monde.agents.recording import RecordingSummary, record
from monde.agents.scenes import record_scenes
from monde.agents.strategy import Finder, Forecaster, Strategy
from monde.agents.trust import FEATURES, Trust, TrustSettings, features, heads_hash

__all__ = [
    "FEATURES",
    "Agent",
    "Decision",
    "EpisodeResults",
    "Finder",
    "Forecaster",
    "GoalFinder",
    "Judge",
    "PlanningAgent",
    "PolicyAgent",
    "RecordingSummary",
    "Strategy",
    "Trust",
    "TrustSettings",
    "decide",
    "device_of",
    "features",
    "fit_clip",
    "fit_frames",
    "frame_clip",
    "heads_hash",
    "make_policy",
    "observation_to_clip",
    "random_agent",
    "reached",
    "record",
    "record_scenes",
    "resolve_goal",
    "run_episodes",
    "stay_agent",
]
