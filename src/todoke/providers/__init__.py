"""Who carries messages. Each kind speaks its own protocol behind the one `Provider` of `base`."""
