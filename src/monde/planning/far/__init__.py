"""Planning far: who hands down the next sub-goal, by landmarks or by levels of time."""
