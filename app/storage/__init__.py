"""Floor 1: the database. Plain SQLAlchemy and Alembic; knows nothing of pictures or models."""
