"""Start-up: `import monde` beside `import torch`, and `monde --help`, each in fresh processes.

python benchmarks/startup.py [--runs 10]
"""

import subprocess
import sys
import time

from common import bars, half, options, row, write

COMMANDS = {
    "import_monde_seconds": [sys.executable, "-c", "import monde"],
    "import_monde_and_use_seconds": [sys.executable, "-c", "import monde; monde.load_model"],
    "import_torch_seconds": [sys.executable, "-c", "import torch"],
    "help_seconds": [sys.executable, "-m", "monde", "--help"],
}


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
    return time.perf_counter() - start


def main() -> None:
    """Measure and write startup.json and startup.svg."""
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=10)
    given = parser.parse_args()
    for command in COMMANDS.values():
        seconds(command)  # fills the file cache
    # Interleaved, so that a slow moment of the machine falls on all alike.
    measured = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(given.runs)]
    rows = [row(name, [round_[name] for round_ in measured], "s", "warm, one process each") for name in COMMANDS]
    for part in ("import_monde", "import_monde_and_use"):
        ratios = [round_[f"{part}_seconds"] / round_["import_torch_seconds"] for round_ in measured]
        rows.append(row(f"{part}_ratio_to_torch", ratios, "1", "the use pulls torch in"))
    card = write("startup", rows, {"runs": given.runs}, (), given.out)
    shown = {name.removesuffix("_seconds").replace("_", " "): half(card, name) for name in COMMANDS}
    bars([("start-up, seconds", shown, 0.6)], given.out / "startup.svg")


if __name__ == "__main__":
    main()
