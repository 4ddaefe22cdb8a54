"""Every limit of the package, finite and named. Nothing here is a tuning knob; raise one only with a reason."""

MAX_NAME_CHARACTERS = 200
"""Longest name of a sensor, an episode, a run or a metric."""

MAX_FRAME_SIDE_PIXELS = 4096
"""Largest height or width of a camera frame that is read."""

MAX_SENSORS = 64
"""Sensors in one recording."""

MAX_ACTION_WIDTH = 512
"""Numbers in one action block (block length × action dimensions, or × discrete choices)."""

MAX_BLOCK = 256
"""Control steps in one action block."""

MAX_HORIZON_BLOCKS = 512
"""Action blocks in one plan."""

MAX_SAMPLES = 65_536
"""Action sequences a planner evaluates in one round, per goal."""

MAX_ROUNDS = 1_000
"""Refinement rounds of one plan."""

MAX_HYPOTHESES = 64
"""Futures imagined for one action sequence."""

MAX_EPISODE_STEPS = 1_000_000
"""Control steps in one recorded episode."""

MAX_JSON_BYTES = 64 * 1024 * 1024
"""Largest JSON document that is parsed."""

MAX_SAFETENSORS_HEADER_BYTES = 100 * 1024 * 1024
"""Largest safetensors header that is parsed (the format's own limit)."""

FREE_DISK_MARGIN_BYTES = 64 * 1024 * 1024
"""Room that must remain free after a cache or checkpoint has been written."""

MAX_REPORT_BYTES = 64 * 1024 * 1024
"""Largest self-contained HTML report that is written."""

MAX_RECORDING_GROUP_BYTES = 2 * 1024 * 1024 * 1024
"""Largest group of episodes that recording holds in memory before it is written."""

MAX_RECORDING_WORKERS = 64
"""Worker processes of one recording."""
