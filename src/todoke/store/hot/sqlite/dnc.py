"""Do-not-call lists: the moment that counts for entries that expire."""

# The database's own clock, as microseconds since 1970; the same all through a statement.
MOMENT = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"

# Of an entry `d`: it has not expired.
HOLDS = f"(d.expires_at IS NULL OR d.expires_at > {MOMENT})"
