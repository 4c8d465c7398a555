"""The concepts: one a file. States as tables, ids, the clock, errors. Knows nothing of storage or the network."""
