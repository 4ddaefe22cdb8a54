"""HDF5 recordings in the layouts of robomimic (a file of demonstrations) and of ALOHA (a file per episode)."""
