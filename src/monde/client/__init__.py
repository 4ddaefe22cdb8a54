"""What a robot's computer needs: closing the loop with a served run. NumPy, msgpack and websockets; no torch."""

from monde.client.episode import Controlled, Done, Episode, Limits, Pace, Seen, run_episode
from monde.client.gymnasium import GymnasiumBody
from monde.client.http import Server
from monde.client.log import EpisodeLog
from monde.client.robot import Robot, RobotBody, Wiring
from monde.client.session import Answer, Session
from monde.mind import GoalFrame, GoalPicture

__all__ = [
    "Answer",
    "Controlled",
    "Done",
    "Episode",
    "EpisodeLog",
    "GoalFrame",
    "GoalPicture",
    "GymnasiumBody",
    "Limits",
    "Pace",
    "Robot",
    "RobotBody",
    "Seen",
    "Server",
    "Session",
    "Wiring",
    "run_episode",
]
