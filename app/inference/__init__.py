"""Floor 1, pure: from bytes to probabilities. NumPy, Pillow and the runtimes; no Flask, no SQL, no environment."""
