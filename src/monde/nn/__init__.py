"""Layers, written once: MLPs, attention with a shared context, transformer blocks, rotary positions."""

from monde.nn.attend import attend, attend_newest
from monde.nn.attention import Attention, KeyValues
from monde.nn.batch_norm import BatchNorm
from monde.nn.ensemble import EnsembleMLP
from monde.nn.goal_trunk import GoalTrunk
from monde.nn.linear import infer
from monde.nn.mlp import MLP, ResidualMLPBlock
from monde.nn.poses import pose_features
from monde.nn.positions import rotate, sincos_2d
from monde.nn.ranks import ranks, sum_over_ranks
from monde.nn.transformer import AdaLNBlock, Block

__all__ = [
    "MLP",
    "AdaLNBlock",
    "Attention",
    "BatchNorm",
    "Block",
    "EnsembleMLP",
    "GoalTrunk",
    "KeyValues",
    "ResidualMLPBlock",
    "attend",
    "attend_newest",
    "infer",
    "pose_features",
    "ranks",
    "rotate",
    "sincos_2d",
    "sum_over_ranks",
]
