"""What versions in the shadow said of pictures, beside the answers that were given."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "shadow_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("against", sa.String(length=16), nullable=False),
        sa.Column("prediction_id", sa.String(length=26), nullable=True),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("shadow_label", sa.String(length=255), nullable=True),
        sa.Column("shadow_probability", sa.Double(), nullable=True),
        sa.Column("difference", sa.Double(), nullable=True),
        sa.Column("ms", sa.Double(), nullable=True),
        sa.Column("passed_over", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name="fk_shadow_answers_prediction_id_predictions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_answers"),
    )
    op.create_index("ix_shadow_answers_prediction_id", "shadow_answers", ["prediction_id"], unique=False)
    op.create_index("ix_shadow_answers_model_id", "shadow_answers", ["model", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("shadow_answers")
