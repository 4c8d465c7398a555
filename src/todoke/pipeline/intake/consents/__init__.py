"""Files of consents, read as lists are, into the ledger."""
