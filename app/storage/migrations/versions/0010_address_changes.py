"""Changes of address: an account's new address, until its link is used."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "address_changes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_address_changes"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_address_changes_user_id_users", ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name="uq_address_changes_digest"),
    )


def downgrade() -> None:
    op.drop_table("address_changes")
