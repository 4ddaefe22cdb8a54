"""Questions of every family: drawn by seed, simulated, told in two renderings."""
