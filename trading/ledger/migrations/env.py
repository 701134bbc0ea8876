"""What Alembic runs: the migrations, in the transaction of the writer that asks for them."""

from alembic import context

from trading.ledger.tables import METADATA

# SQLite takes back what a migration did to tables like any other write; Alembic does not expect it.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
