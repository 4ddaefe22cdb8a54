"""Fitting what leads far: landmarks of the recording, and levels of time above the model."""
