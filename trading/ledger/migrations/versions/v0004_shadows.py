"""Which signals were recorded beside the one that was given, as what a rival of its models says.

No row that is there is one: it stays null in them, which is no part of their hash.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("signals", sa.Column("shadow", sa.Integer))
