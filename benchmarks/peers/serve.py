"""A peer's own planner, training step and reader, in its own Python, asked for over standard input and output.

PEER_PYTHON -m peers.serve NAME SIZES_JSON WEIGHTS [fresh]

Every line read is a JSON object with "do" and its arguments; every line written is the JSON answer. WEIGHTS is written
with the random weights that everything starts from: shaken, so that no gate is shut, unless they are to be trained
("fresh"). Run by `peers/process.py`; monde is not installed there.

Planner, cost and objective are called as the package's README, evaluation and training script do:
stable-worldmodel 0.1.1 `CEMSolver(model, …).solve(info)`; forward and optimiser of its scripts/train/lewm.py
torch-world 0.2.0 `CEM(…)(model, z, goal)`; `model(pixels, actions)["loss"]`; optimiser of its `run_experiment`
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import methodcaller
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from peers.lewm_peer import MAKE, MEAN, STD, shake

Answer = dict[str, float]
LEARNING = {"stable-worldmodel": (5e-5, 1e-3, 1.0), "torch-world": (3e-4, 0.01, 10.0)}
"""Learning rate, weight decay and largest norm of the gradient, as published."""


class Server:
    """One peer with one model; each public method answers one request."""

    def __init__(self, peer: str, sizes: Mapping[str, int], weights: Path, fresh: bool) -> None:
        torch.manual_seed(0)
        self.peer, self.sizes = peer, sizes
        self.model = MAKE[peer](sizes).eval()
        if not fresh:
            shake(self.model, 0)
        save_file({name: tensor.contiguous() for name, tensor in self.model.state_dict().items()}, weights)
        rate, decay, self.clip = LEARNING[peer]
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=decay)
        self.sigreg: nn.Module | None = None
        if peer == "stable-worldmodel":
            self.sigreg = import_module("stable_worldmodel.wm.loss").SIGReg(knots=17, num_proj=1024)

    def plan(self, frames: str, samples: int, rounds: int, elites: int, horizon: int, bf16: bool) -> Answer:
        """Seconds from two frames, now and wanted, to a plan; encoding them is included, normalising pixels is not."""
        self.model.eval()
        pixels = self._pixels(load_file(frames)["frames"])
        make = self._solver if self.peer == "stable-worldmodel" else self._cem
        search = make(samples, rounds, elites, horizon)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            start = time.perf_counter()
            search(pixels[:, :1], pixels[:, 1:])
            return {"seconds": time.perf_counter() - start}

    @torch.no_grad()
    def costs(self, given: str, to: str) -> Answer:
        """Writes the cost of each of given action sequences [1, S, H, A]."""
        self.model.eval()
        tensors = load_file(given)
        pixels, actions = self._pixels(tensors["frames"]), tensors["actions"]
        if self.peer == "stable-worldmodel":
            S = actions.shape[1]
            shown = pixels[:, None].expand(-1, S, *[-1] * 4)
            info = {"pixels": shown[:, :, :1], "goal": shown[:, :, 1:]}
            info["action"] = torch.zeros(1, S, 1, actions.shape[-1])
            found = methodcaller("get_cost", info, actions)(self.model)[0]
        else:
            z = methodcaller("encode", pixels)(self.model)
            rolled = methodcaller("rollout", z[:, :1].expand(actions.shape[1], -1, -1), actions[0])(self.model)
            found = methodcaller("cost", rolled, z[:, 1].expand(len(rolled), -1))(self.model) * z.shape[-1]
        save_file({"costs": found.contiguous()}, to)
        return {}

    def step(self, batch: str, bf16: bool, count: bool = False) -> Answer:
        """Seconds of one training step, or the operations that it takes."""
        tensors = load_file(batch)
        pixels, actions = self._pixels(tensors["frames"]), tensors["actions"]
        self.model.train()
        start = time.perf_counter()
        if count:
            with FlopCounterMode(display=False) as counter:
                self._step(pixels, actions, bf16)
            return {"operations": counter.get_total_flops()}
        self._step(pixels, actions, bf16)
        return {"seconds": time.perf_counter() - start}

    def fit(self, data: str, seconds: float, batch: int, bf16: bool, seed: int, save: str) -> Answer:
        """Trains on windows of frames [E, L, 3, h, w] and standardised actions [E, L, a] for some seconds more."""
        tensors = load_file(data)
        frames, actions = tensors["frames"], tensors["actions"]
        T, K = self.sizes["window"] + 1, self.sizes["actions"] // actions.shape[-1]
        generator = torch.Generator().manual_seed(seed)
        self.model.train()
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            episode = torch.randint(len(frames), (batch, 1), generator=generator)
            first = torch.randint(frames.shape[1] - K * (T - 1), (batch, 1), generator=generator)
            shown = frames[episode, first + K * torch.arange(T)]
            blocks = actions[episode, first + torch.arange(K * (T - 1))].reshape(batch, T - 1, -1)
            self._step(self._pixels(shown), nn.functional.pad(blocks, (0, 0, 0, 1)), bf16)
            steps += 1
        spent = time.perf_counter() - start
        save_file({name: tensor.contiguous() for name, tensor in self.model.state_dict().items()}, save)
        return {"seconds": spent, "steps": steps}

    def _pixels(self, frames: Tensor) -> Tensor:
        values = frames.float() / 255
        if self.peer == "stable-worldmodel":
            values = (values - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        return values

    def _step(self, pixels: Tensor, actions: Tensor, bf16: bool) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = self._loss(pixels, actions)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()

    def _loss(self, pixels: Tensor, actions: Tensor) -> Tensor:
        if self.sigreg is None:
            loss: Tensor = self.model(pixels, actions)["loss"]
            return loss
        W = self.sizes["window"]
        info = methodcaller("encode", {"pixels": pixels, "action": actions})(self.model)
        predicted = methodcaller("predict", info["emb"][:, :W], info["act_emb"][:, :W])(self.model)
        error: Tensor = (predicted - info["emb"][:, 1:]).pow(2).mean()
        return error + 0.09 * self.sigreg(info["emb"].transpose(0, 1))

    def _solver(self, samples: int, rounds: int, elites: int, horizon: int) -> Callable[[Tensor, Tensor], object]:
        spaces = import_module("gymnasium.spaces")
        make = import_module("stable_worldmodel.solver").CEMSolver
        config = import_module("stable_worldmodel.policy").PlanConfig
        solver = make(self.model, num_samples=samples, n_steps=rounds, topk=elites)
        block = self.sizes["actions"] // 2
        solver.configure(
            action_space=spaces.Box(-1, 1, (1, 2)),
            n_envs=1,
            config=config(horizon=horizon, receding_horizon=horizon, action_block=block),
        )
        before = torch.zeros(1, 1, self.sizes["actions"])
        return lambda now, goal: solver.solve({"pixels": now, "goal": goal, "action": before})

    def _cem(self, samples: int, rounds: int, elites: int, horizon: int) -> Callable[[Tensor, Tensor], object]:
        make = import_module("torch_world.planning").CEM
        search = make(horizon, self.sizes["actions"], num_samples=samples, num_elites=elites, iterations=rounds)

        @torch.no_grad()
        def run(now: Tensor, goal: Tensor) -> object:
            encode = methodcaller("encode", torch.cat([now, goal], 1))
            z = encode(self.model)
            return search(self.model, z[:, :1], z[:, 1])

        return run


def main() -> None:
    """Answer until standard input ends. What the package prints goes to standard error."""
    answers, sys.stdout = sys.stdout, sys.stderr
    peer, sizes, weights = sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])
    server = Server(peer, sizes, weights, "fresh" in sys.argv[4:])
    print(json.dumps({"ready": 1.0}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        if do not in ("plan", "costs", "step", "fit"):
            raise ValueError(f"unknown request {do!r}")
        print(json.dumps(methodcaller(do, **request)(server)), file=answers, flush=True)


if __name__ == "__main__":
    main()
