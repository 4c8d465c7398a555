"""A person's record on a calling list."""

ERASED_DESTINATION = -1
"""In place of the number of a person who was erased. The position stays: it is an address."""
