"""The LeRobot v3.0 dataset layout (huggingface/lerobot, `LeRobotDataset` v3.0), read and written without that package.

meta/info.json                               version, fps, features, totals, path templates
meta/stats.json                              min, max, mean, std, count of every feature
meta/tasks.parquet                           task text → task_index
meta/episodes/chunk-000/file-000.parquet     one row per episode: length, where its rows are, its statistics
data/chunk-000/file-000.parquet              one row per frame
meta/monde.json                              ours: bounds, units, kinds, source (other tools ignore it)
"""
