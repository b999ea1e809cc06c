"""Logins, kept on the server so that they can be listed and ended there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_logins_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_logins"),
        sa.UniqueConstraint("digest", name="uq_logins_digest"),
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"], unique=False)
    op.create_index("ix_logins_began_at", "logins", ["began_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_logins_began_at", "logins")
    op.drop_index("ix_logins_user_id", "logins")
    op.drop_table("logins")
