"""Two bets, one bench: the same physical questions for world models and language models, judged by what happened."""
