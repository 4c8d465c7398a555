"""How a contact's fields are packed into one text."""

SEPARATOR = "\x1f"
"""Between the values in contact.fields."""
