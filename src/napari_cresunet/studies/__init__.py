"""A study: what was counted and corrected in one image, in a folder that outlives it."""
