"""How Alembic runs our revisions: on the connection and in the transaction that `migrations.upgrade` gives."""

from alembic import context

from todoke.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
