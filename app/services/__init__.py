"""Floor 2: use cases. Small classes with their collaborators by keyword; they know nothing of HTTP."""
