"""The consent ledger: rows are added, read, and never changed."""
