"""What the README quotes: from which result file, under which name, and in which chapter."""

FIGURES = (
    ("planning", "success/tworoom/hybrid", "TwoRoom, goals in both rooms, 3 trainings: success", 100, "%", 1),
    (
        "planning",
        "success/tworoom_doors/hybrid",
        "TwoRoom with a door at another height in every episode: success",
        100,
        "%",
        1,
    ),
    (
        "planning",
        "success/tworoom_doors/actor",
        "TwoRoom with a moving door, the actor alone, without search: success",
        100,
        "%",
        1,
    ),
    (
        "planning",
        "plan_seconds/tworoom_doors/hybrid",
        "one plan of the hybrid planner, one core, without encoding",
        1e3,
        " ms",
        1,
    ),
    (
        "planning",
        "plan_seconds/tworoom_doors/actor",
        "one plan of the actor alone, one core, without encoding",
        1e3,
        " ms",
        2,
    ),
    ("deadline", "in_time", "plans within 25 ms where 20 are allowed, the worst of all planners", 100, "%", 1),
    ("constraints", "violations", "episodes that enter a forbidden region on the straight way", 1, "", 0),
    ("constraints", "success", "episodes that arrive without entering it", 100, "%", 1),
    ("constraints", "success_actor_alone", "episodes that arrive without entering it, by the actor alone", 100, "%", 1),
    (
        "generalise",
        "gain/layouts/hybrid_far",
        "layouts that the actor was not fitted on: percentage points that a search of three blocks adds to it",
        100,
        "",
        1,
    ),
    (
        "generalise",
        "gain/layouts/hybrid",
        "layouts that the actor was not fitted on: percentage points that a search of one block adds to it",
        100,
        "",
        1,
    ),
    (
        "generalise",
        "gain/goals/hybrid_far",
        "goals in a corner that the actor was not fitted on: percentage points that a search of three blocks adds",
        100,
        "",
        1,
    ),
    (
        "generalise",
        "gain/goals/hybrid",
        "goals in a corner that the actor was not fitted on: percentage points that a search of one block adds",
        100,
        "",
        1,
    ),
    *(
        ("tasks", f"success/{task}/auto/{distance}", f"{title}, goals {told}: success from pixels", 100, "%", 1)
        for task, title in (
            ("pointmaze_medium", "OGBench pointmaze-medium"),
            ("pointmaze_large", "OGBench pointmaze-large"),
            ("pointmaze_giant", "OGBench pointmaze-giant"),
        )
        for distance, told in (("25", "25 steps away"), ("100", "100 steps away"), ("any", "anywhere"))
    ),
    *(
        ("tasks", f"success/{task}/{distance}", told, 100, "%", 1)
        for task, distance, told in (
            (
                "pointmaze_umaze",
                "auto/25",
                "gymnasium-robotics' U maze (the ball keeps its speed), goals 25 steps away",
            ),
            ("pointmaze_umaze", "auto/100", "gymnasium-robotics' U maze, goals 100 steps away"),
            ("antmaze_medium", "auto/25", "OGBench antmaze-medium, goals 25 steps away"),
            ("reacher", "auto/any", "Reacher, any pose"),
            ("pusht", "hybrid-deep/25", "Push-T, 25 steps ahead, 50 allowed, DINO-WM's test"),
            ("cube_single", "actor/25", "OGBench cube-single, 25 steps ahead, 50 allowed"),
        )
    ),
    ("tasks", "success/pointmaze_giant/hybrid/any", "pointmaze-giant, goals anywhere, without landmarks", 100, "%", 1),
    ("tasks", "success/pointmaze_large/hybrid/any", "pointmaze-large, goals anywhere, without landmarks", 100, "%", 1),
    (
        "tasks",
        "success/pointmaze_large/hierarchical/any",
        "pointmaze-large, goals anywhere, led by a second level of time",
        100,
        "%",
        1,
    ),
    (
        "laser",
        "success/rooms",
        "a laser robot in rooms that it has not seen, goals 1.5 to 6 m away: success",
        100,
        "%",
        1,
    ),
    (
        "laser",
        "success/campus_held_out",
        "a laser robot on a real campus, learned in random rooms alone: success",
        100,
        "%",
        1,
    ),
    ("laser", "collision_free_steps", "steps of the laser robot without running into anything", 100, "%", 1),
    (
        "malaga",
        "scan_error_ratio/copy_last",
        "a real laser log, learned in simulation alone: scan a second ahead over the last scan",
        1,
        "",
        2,
    ),
    (
        "malaga",
        "scan_error_ratio/odometry_warp",
        "a real laser log: scan a second ahead over the last scan moved by odometry",
        1,
        "",
        2,
    ),
    (
        "malaga",
        "loop_error_metres/model",
        "a real laser log: how far its loop fails to close by the model's motion",
        1,
        " m",
        2,
    ),
    ("malaga", "loop_error_metres/icp", "a real laser log: how far its loop fails to close by ICP", 1, " m", 2),
    (
        "malaga",
        "loop_error_metres/odometry",
        "a real laser log: how far its loop fails to close by odometry",
        1,
        " m",
        2,
    ),
    (
        "tabletop",
        "position_error_ratio/rgb_points",
        "table-top, place of an object: colours and cloud over colours alone",
        1,
        "",
        2,
    ),
    (
        "tabletop",
        "success/reach/rgb_points",
        "table-top, reaching an object by colours and cloud: success",
        100,
        "%",
        0,
    ),
    (
        "reading",
        "mcap_bytes_per_second",
        "raw images and clouds out of MCAP, to tensors, one core (seconds of the processor)",
        1e-6,
        " MB/s",
        0,
    ),
    (
        "clocks",
        "error_ratio",
        "four sensors at 3 to 200 Hz, 5% dropped, ±20% jitter: readout error over that of perfect clocks, 3 trainings",
        1,
        "",
        2,
    ),
    ("trust", "brier_skill", "will this plan succeed? Brier skill over the base rate, four mixed sets", 1, "", 2),
    ("trust", "auroc", "will this plan succeed? Area under the ROC curve", 1, "", 2),
    ("trust", "impossible_abstained", "goals behind a wall without door: given up", 100, "%", 1),
    ("trust", "possible_abstained", "goals that can be reached: given up", 100, "%", 1),
    ("serving", "closed_loop_hz", "decisions a second of a robot over the network, two cores", 1, " Hz", 0),
    ("serving", "step_seconds_p99", "a robot over the network: time of a decision, 99th percentile", 1e3, " ms", 1),
    ("serving", "sessions8_min_hz", "eight robots at once: decisions a second of the slowest", 1, " Hz", 0),
    ("serving", "sessions8_p99_seconds", "eight robots at once: time of a decision, 99th percentile", 1e3, " ms", 1),
    ("reasoning", "compare", "asked which of three courses is best: whole order right", 100, "%", 0),
    ("reasoning", "explain", "asked which of six actions made the difference: named first", 100, "%", 0),
    ("reasoning", "goal_of", "shown half of a walk and four goals: its goal named first", 100, "%", 0),
    (
        "export",
        "max_abs_difference",
        "onnxruntime beside torch, ten steps of a loop: largest difference",
        1e6,
        "e-6",
        0,
    ),
    ("export", "step_seconds/onnxruntime", "one imagined step in onnxruntime, one core", 1e3, " ms", 3),
    *(
        ("shift", f"{kind}/{task}/{shift}", f"{title}, {told}: success", 100, "%", 0)
        for task, title in (("tworoom", "TwoRoom"), ("pointmaze_medium", "pointmaze-medium"))
        for shift, seen in (
            ("background", "another floor colour"),
            ("lighting", "in dim light"),
            ("colour", "things in other colours"),
        )
        for kind, told in (("success", seen), ("recovered", f"{seen}, after 20 new episodes and a minute"))
    ),
    *(
        (
            "physics",
            f"pairwise/{space}/mean/{grade}",
            f"physics {where}, {told}: pairs whose impossible film surprises more, 9 principles, new objects",
            100,
            "%",
            1,
        )
        for space, where in (("2d", "in the plane"), ("3d", "in space"))
        for grade, told in (("easy", "in view"), ("hidden", "hidden for 0.3 s"), ("long-hidden", "hidden for 1 s"))
    ),
    *(
        ("hidden", f"error_diameters/{metric}", f"place of an object {told}: error", 1, " diameters", 2)
        for metric, told in (
            ("1", "hidden for 1 s while something happened to it"),
            ("2", "hidden for 2 s while something happened to it"),
            ("1/imagined", "hidden for 1 s, imagined without a look at the film since"),
        )
    ),
    *(
        (
            "hidden",
            f"skill/{seconds}",
            f"skill in placing an object hidden for {seconds} s: 1 − its error / that of constant velocity",
            1,
            "",
            2,
        )
        for seconds in ("1", "2")
    ),
    *(
        (
            "mocap",
            f"ratio_to_ballistic/{file}",
            f"real motion capture, {told}: error 0.3 s ahead beside a ballistic fit",
            1,
            " ×",
            2,
        )
        for file, told in (("3_throws", "3 throws"), ("6_throws", "6 throws"), ("5_balls", "5 balls juggled"))
    ),
    *(
        ("bets", f"level/{corner}", f"two bets, physical questions in easy and middle grades: {told}", 100, "%", 1)
        for corner, told in (
            ("sensors-latent", "learned from pictures, predicts in latent space"),
            ("state-latent", "learned from exact states, predicts in latent space"),
            ("sensors-tokens", "learned from pictures, predicts tokens"),
            ("state-tokens", "learned from exact states, predicts tokens"),
        )
    ),
    ("scenes", "frames_per_second/2d", "films of scenes made in the plane, one core", 1, " frames/s", 0),
    ("scenes_3d", "frames_per_second/3d", "films of scenes made in space, one core", 1, " frames/s", 0),
    *(
        ("planning_peers", f"{metric}/{peer}", f"{title} {peer}", 1, " ×", decimals)
        for metric, title, decimals in (
            ("speedup_engine", "same architecture, weights and search, ours bf16 and theirs fp32: one plan beside", 1),
            ("speedup_engine_bf16", "same architecture, weights and search, both bf16: one plan beside", 1),
            ("speedup_total", "one plan, each its own way, beside", 0),
            ("train_speedup", "one training step of its own architecture, both bf16, beside", 1),
            (
                "skill_speedup",
                "TwoRoom, training to 95%, one core, at least (theirs were cut before they reached it): beside",
                1,
            ),
            ("window_speedup", "windows read a second, warm and uncompressed, beside JPEG in Lance by", 0),
        )
        for peer in ("stable-worldmodel", "torch-world")
        if (metric, peer) != ("window_speedup", "torch-world")
    ),
    ("demo", "success", "`make demo`: success", 100, "%", 0),
    ("demo", "probe_position_rmse_px", "position read from the latent of one frame, of 64 px", 1, " px", 2),
    ("demo", "prediction/position/rmse/2s", "position read from the latent imagined 2 s ahead", 1, " px", 2),
    ("demo", "wall_seconds", "`make demo` after the install", 1 / 60, " min", 1),
    ("demo", "anonymous_bytes", "memory of `make demo` (anonymous)", 2**-30, " GiB", 2),
    (
        "robot",
        "joint_error_rad/1s",
        "real robot, 10 episodes, pixels only: joints read from the latent imagined 1 s ahead",
        1,
        " rad",
        3,
    ),
    (
        "films",
        "retrieval_rank/car-detection/1s",
        "film without actions: rank of the true frame 1 s ahead among 16, 1 is best",
        1,
        "",
        1,
    ),
    ("decoding", "ratio_to_pyav", "reading video beside PyAV's bare loop, the slowest case", 1, " ×", 2),
    ("training", "nano_frames_per_second", "training of nano, 64 px, everything included", 1, " frames/s", 0),
    ("training", "tiny_frames_per_second", "training of tiny (15 M), 224 px", 1, " frames/s", 1),
    ("loading", "windows_per_second", "windows of 4 frames 64 × 64 × 3 from the cache, one process", 1, " /s", 0),
    ("startup", "help_seconds", "`monde --help`", 1, " s", 2),
    (
        "startup",
        "import_monde_and_use_ratio_to_torch",
        "`import monde` and its first use, beside `import torch`",
        1,
        " ×",
        2,
    ),
    ("loading", "memory_growth_ratio", "anonymous memory when the data grow tenfold", 1, " ×", 2),
)
"""Result file, metric, what it is called, factor, unit, decimals."""

CHAPTERS = {
    "Plan in milliseconds": ("planning", "deadline", "constraints", "generalise", "planning_peers"),
    "Plan far, and know when not to": ("tasks", "trust", "shift"),
    "Lasers, tables, logs": ("laser", "malaga", "tabletop", "reading", "clocks"),
    "Understand physics": ("physics", "hidden", "mocap", "scenes", "scenes_3d"),
    "Ask, serve, export": ("reasoning", "serving", "export"),
    "Two bets": ("bets",),
    "Learn from films": ("demo", "robot", "films", "decoding", "training", "loading", "startup"),
}
"""Result files by chapter."""

IN_SHORT = (
    "demo/success",
    "planning/success/tworoom_doors/hybrid",
    "planning/plan_seconds/tworoom_doors/hybrid",
    "tasks/success/pointmaze_giant/auto/any",
    "tasks/success/pusht/hybrid-deep/25",
    "tasks/success/cube_single/actor/25",
    "trust/brier_skill",
    "laser/success/rooms",
    "physics/pairwise/2d/mean/hidden",
    "physics/pairwise/3d/mean/hidden",
    "mocap/ratio_to_ballistic/5_balls",
    "reasoning/compare",
    "serving/closed_loop_hz",
    "bets/level/sensors-latent",
    "bets/level/state-latent",
    "bets/level/state-tokens",
)
"""File/metric of the figures that are shown before the chapters: strong ones and weak ones."""
