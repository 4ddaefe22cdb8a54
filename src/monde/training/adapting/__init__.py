"""Getting a trained run used to a world that looks or moves otherwise than it did."""
