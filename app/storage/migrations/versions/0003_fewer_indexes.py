"""One index on predictions instead of three: each is a page more to write for every answer."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("ix_predictions_created_at", "predictions")
    op.drop_index("ix_predictions_guest_id", "predictions")
    op.drop_index("ix_predictions_user_id_id", "predictions")
    op.create_index("ix_predictions_user_id_guest_id", "predictions", ["user_id", "guest", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_predictions_user_id_guest_id", "predictions")
    op.create_index("ix_predictions_user_id_id", "predictions", ["user_id", "id"], unique=False)
    op.create_index("ix_predictions_guest_id", "predictions", ["guest", "id"], unique=False)
    op.create_index("ix_predictions_created_at", "predictions", ["created_at"], unique=False)
