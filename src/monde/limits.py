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

MAX_CLOCK_GAP_SECONDS = 10.0
"""How far apart the samples of two sensors of one episode may lie altogether before their clocks have another zero."""

MAX_CLOCK_DISORDER_SECONDS = 1.0
"""How far samples may be out of order before a clock has been set back."""

MAX_LOG_FILES = 100_000
"""Files of a folder of logs, and pictures of one sensor of one."""

MAX_MCAP_RECORD_BYTES = 1024 * 1024 * 1024
"""Largest record of an MCAP file, and largest chunk of one after it is decompressed."""

MAX_TRANSFORM_DEPTH = 64
"""Frames between a sensor and the base that it is mounted on."""
MAX_BODY_BYTES = 32 * 1024 * 1024
"""Largest body of a request, as it is sent and as it is when decompressed; and largest message of a control session."""

MAX_JSON_BODY_BYTES = 8 * 1024 * 1024
"""Largest body that is JSON: reading it holds up everything else. Tensors belong into msgpack."""

MAX_BODY_SECONDS = 10.0
"""How long the body of a request may take to arrive."""

MAX_REQUEST_SECONDS = 120.0
"""How long one request may be thought about."""

MAX_DOCUMENT_DEPTH = 32
"""Objects and arrays within one another in a JSON or msgpack document that is received."""

MAX_DOCUMENT_ITEMS = 200_000
"""Keys, values and elements in a document that is received, tensors counted as one."""

MAX_CONTROL_SESSIONS = 64
"""Robots that one server holds sessions of."""

MAX_SESSION_IDLE_SECONDS = 60.0
"""How long a control session without messages is kept; a client that lost its connection may resume it until then."""

MAX_SESSION_MESSAGES_PER_SECOND = 250.0
"""Messages of one control session; stop is not counted."""

MAX_SESSION_PENDING = 4
"""Messages of one control session that wait for their answers."""

MAX_DECISIONS_WAITING = 8
"""Decisions that wait while others are made, of all sessions together; beyond that the server says that it is busy."""

MAX_DECISION_BATCH = 8
"""Sessions that are decided for at once."""

BUSY_SECONDS = 0.05
"""How long a control session that is refused as busy waits for being told so: those that ask again at once would
otherwise take the time of those that are served."""

MIN_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 0.005, 60.0
"""What a control session may ask for as the time of one answer."""

MAX_REQUESTS_PER_SECOND = 100.0
"""HTTP requests, all clients together; stop and health are not counted."""

MAX_REQUESTS_WAITING = 8
"""HTTP requests that wait while another is thought about."""

MAX_CONNECTIONS = 256
"""Open connections of one server."""

MAX_SEND_SECONDS = 5.0
"""How long a client may take to accept an answer."""

MAX_PING_SECONDS = 20.0
"""How long a silent WebSocket is believed to be alive, and how long it may take to answer a ping."""

MAX_SHUTDOWN_SECONDS = 10.0
"""How long a server that was asked to end waits for what is under way."""

MIN_TOKEN_CHARACTERS, MAX_TOKEN_CHARACTERS = 16, 4096
"""Length of the token that a server asks for."""

MAX_RECONNECT_SECONDS = 60.0
"""How long a client tries to reach a server that has gone, by default."""

MAX_LOG_BYTES = 2 * 1024 * 1024 * 1024
"""Largest episode that a client keeps in memory for its log."""

MAX_ASKED_FRAMES = 512
"""Moments of one observation that a question shows."""

MAX_ASKED_COURSES = 256
"""Courses of action that one question imagines."""

MAX_ASKED_BLOCKS = 200
"""Action blocks of a course that is planned in imagination."""

MAX_ASKED_GOALS = 64
"""Goals among which one question chooses."""

MAX_ASKED_BOXES = 1_024
"""Parts of a picture that one question tells apart."""

MAX_KEPT_BELIEFS = 4_096
"""Beliefs that one Mind keeps under a handle."""

MAX_ARRAY_BYTES = 256 * 1024 * 1024
"""Largest array that is read from a document."""

MAX_BETS_PLAN_ROWS = 1_000
"""Rows in one plan that answers a question."""

MAX_BETS_RAW_CHARACTERS = 200_000
"""Characters of an answer's raw text that are kept; the rest is cut off, and that is noted."""

MAX_BETS_QUESTIONS = 100_000
"""Questions in one set."""

MAX_BETS_TRIES = 20_000
"""Draws for one question before it is given up that one fits its design."""

MAX_TOOL_IMAGES = 24
"""Pictures in one answer of an MCP tool."""

MAX_TOOL_NUMBERS = 4_096
"""Numbers of one array that an MCP tool writes out."""
MAX_BETS_LINE_BYTES = 4 * 1024 * 1024
"""Longest line of a file of answers."""

MAX_BETS_REPLY_CHARACTERS = 400_000
"""Characters of a language model's reply that are read; the connection is closed then."""
