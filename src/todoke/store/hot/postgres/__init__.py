"""The hot operations on PostgreSQL."""
