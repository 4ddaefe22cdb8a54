"""RLDS datasets (TensorFlow Datasets of episodes in TFRecord files), read without TensorFlow."""
