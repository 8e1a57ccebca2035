"""Pure scalar definitions of the rules, standard library only; thresholds arrive as arguments."""
