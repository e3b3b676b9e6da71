"""How fast this is on a computer, beside the reference pipeline."""
