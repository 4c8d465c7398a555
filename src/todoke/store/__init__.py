"""The store: PostgreSQL or SQLite, the catalogue and the few hot operations that carry the load."""
