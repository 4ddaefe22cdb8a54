"""Four corners at equal data and compute: {sensors, exact state} × {latent prediction, token prediction}."""
