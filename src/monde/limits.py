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

MAX_GRAPHS = 16
"""CUDA graphs that one model keeps: each holds the memory of a whole rollout."""

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

MAX_VIDEO_FILES = 100_000
"""Videos in one folder that is opened as a recording."""

MAX_FILM_BYTES = 4 * 1024 * 1024 * 1024
"""Most that the frames of one film of a physics set, read at once, may take in memory."""

MAX_OPEN_VIDEOS = 16
"""Video decoders kept open for the next read."""

MAX_EPISODES = 1_000_000
"""Episodes in one recording."""

MAX_RECORD_BYTES = 2 * 1024 * 1024 * 1024
"""Largest TFRecord that is read (an episode of an RLDS dataset; protobuf's own limit)."""

MAX_RECORD_CACHE_BYTES = 128 * 1024 * 1024
"""Encoded episodes of an RLDS dataset that stay in memory between reads."""

MAX_CHUNK_BYTES = 1024 * 1024 * 1024
"""Largest chunk of an HDF5 or Zarr array that is decompressed."""

MAX_DOWNLOAD_SECONDS_TO_ANSWER = 10.0
"""How long the hub may take to answer about a file before it counts as unreachable."""

MAX_DOWNLOAD_BYTES = 64 * 1024 * 1024 * 1024
"""Most that opening a dataset by its name on the hub downloads; MONDE_MAX_DOWNLOAD_GIB raises it for one process."""

MAX_VIDEO_INDEXES = 1_024
"""Videos of one recording whose index is kept in memory."""

MAX_CHECK_FRAMES = 20_000
"""Pictures of one camera that a check of a recording looks at in all."""

MAX_CHECK_FRAMES_PER_EPISODE = 96
"""Pictures of one camera that a check looks at in one episode, spread evenly over it."""

MAX_CHECK_ROWS = 50_000
"""Moments from which a check answers whether training makes sense."""

MAX_CHECK_SAMPLE_NUMBERS = 4_096
"""Numbers in one sample of a sensor that a check reads whole; of larger ones it samples frames, as of cameras."""

MAX_CHECK_FINDINGS_OF_A_KIND = 20
"""Findings of one kind that a check lists; the rest is counted."""


MAX_MIXED_RECORDINGS = 64
"""Recordings that one model is trained on at once."""

MAX_SCENE_OBJECTS = 6
"""Objects in one generated scene: more do not fit into 64 pixels apart from one another."""

MAX_PAIR_BYTES = 4 * 1024 * 1024 * 1024
"""Largest set of minimal pairs that is made in memory at once."""

MAX_POINT_FILE_BYTES = 512 * 1024 * 1024
"""Largest text file of recorded points that is read."""

MAX_POINT_MARKERS = 1_000
"""Markers in one recording of points."""

MAX_SURPRISE_FRAMES = 6_000
"""Frames of one film whose surprise is measured at once (five minutes at 20 Hz): all are encoded together."""

MAX_HIDDEN_TRIES = 4_000
"""Draws of a film with a hidden object before it is given up that one fits into the picture."""

MAX_LANDMARKS = 8_192
"""Landmarks in one graph."""

MAX_LANDMARK_EDGES = 1_000_000
"""Edges in one graph of landmarks."""

MAX_LANDMARK_BYTES = 256 * 1024 * 1024
"""Largest graph of landmarks that is made; a larger one is pruned, and that is said."""

MAX_TIME_LEVELS = 4
"""Levels of time, the model's own among them."""

MAX_QUATERNION_ERROR = 1e-3
"""Largest distance from 1 of a quaternion's length that counts as rounding; it is then normalised."""

MAX_CLOUD_POINTS = 262_144
"""Points in one sample of a cloud, padding included."""

MAX_SCAN_BEAMS = 16_384
"""Beams in one laser scan."""

MAX_BETS_PLAN_ROWS = 1_000
"""Rows in one plan that answers a question."""

MAX_BETS_RAW_CHARACTERS = 200_000
"""Characters of an answer's raw text that are kept; the rest is cut off, and that is noted."""

MAX_BETS_QUESTIONS = 100_000
"""Questions in one set."""

MAX_BETS_TRIES = 20_000
"""Draws for one question before it is given up that one fits its design."""

MAX_BETS_LINE_BYTES = 4 * 1024 * 1024
"""Longest line of a file of answers."""

MAX_BETS_REPLY_CHARACTERS = 400_000
"""Characters of a language model's reply that are read; the connection is closed then."""
