"""Writing calling lists: contacts in bulk, and a list that is there as a whole or not at all."""
