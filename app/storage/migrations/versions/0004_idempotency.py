"""Requests that may be sent again, and are answered once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "idempotent_requests",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("prediction_id", sa.String(length=26), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("held_until", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_idempotent_requests_key_id_api_keys", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key_id", "name", name="pk_idempotent_requests"),
    )
    op.create_index("ix_idempotent_requests_expires_at", "idempotent_requests", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_idempotent_requests_expires_at", "idempotent_requests")
    op.drop_table("idempotent_requests")
