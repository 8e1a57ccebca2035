"""Reports from outside: what they may say, where they come from, whom they concern, and what follows at once."""
