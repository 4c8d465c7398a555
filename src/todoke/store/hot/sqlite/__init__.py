"""The hot operations on SQLite."""
