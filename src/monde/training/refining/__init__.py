"""Training the dynamics of a run further while its encoder rests."""
