"""From where a deed was done; and the database itself refuses to change or delete what is written down."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_REFUSED = "the audit log is only added to"
# That an entry's account is deleted may leave it without one; nothing else about an entry may ever be another.
_KEPT = ("id", "at", "actor", "action", "subject", "detail", "address")
_TAKEN = "EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)"
_SQLITE = (
    f"CREATE TRIGGER audit_log_never_deleted BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    "CREATE TRIGGER audit_log_never_changed BEFORE UPDATE ON audit_log WHEN NEW.account_id IS NOT NULL OR "
    + " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT)
    + f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    # INSERT OR REPLACE deletes without a word to the first trigger.
    "CREATE TRIGGER audit_log_never_replaced BEFORE INSERT ON audit_log"
    f" WHEN {_TAKEN} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER audit_log_never_deleted BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_never_changed BEFORE UPDATE ON audit_log FOR EACH ROW WHEN (NEW.account_id IS NOT NULL OR "
    + " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT)
    + ") EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()",
)
_NAMES = {"sqlite": ("deleted", "changed", "replaced"), "postgresql": ("deleted", "changed", "emptied")}


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("address", sa.String(length=45), nullable=True))
    for statement in {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}.get(op.get_bind().dialect.name, ()):
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name in _NAMES.get(dialect, ()):
        op.execute(f"DROP TRIGGER audit_log_never_{name}{' ON audit_log' if dialect == 'postgresql' else ''}")
    if dialect == "postgresql":
        op.execute("DROP FUNCTION audit_log_refuse()")
    with op.batch_alter_table("audit_log") as table:
        table.drop_column("address")
