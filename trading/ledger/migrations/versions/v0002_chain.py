"""Every row in one chain, and which signals were backfilled.

Rows that are there already begin the chain: the signals in the order they were written, then the
outcomes. Nothing else in them is touched, and a damaged one stays as damaged as it was.
"""

import sqlalchemy as sa
from alembic import op

from trading.ledger.chain import GENESIS, link
from trading.ledger.schema import row_hash

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns, and chain the rows."""
    connection = op.get_bind()
    op.add_column("signals", sa.Column("backfilled", sa.Integer))
    position, chain = 0, GENESIS
    for table in ("signals", "outcomes"):
        rows = connection.exec_driver_sql(f"SELECT rowid AS at, * FROM {table} ORDER BY rowid")  # noqa: S608 - one of two names
        held = [dict(row) for row in rows.mappings()]
        op.add_column(table, sa.Column("position", sa.Integer))
        op.add_column(table, sa.Column("chain", sa.Text))
        for row in held:
            at = row.pop("at")
            position, chain = position + 1, link(chain, row["sha256"] or row_hash(row))
            connection.exec_driver_sql(
                f"UPDATE {table} SET position = ?, chain = ? WHERE rowid = ?",  # noqa: S608 - one of two names
                (position, chain, at),
            )
        op.create_index(f"{table}_position", table, ["position"], unique=True)
