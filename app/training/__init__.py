"""Floor 1, pure: from a folder of labelled photos to a measured classifier and its card."""
