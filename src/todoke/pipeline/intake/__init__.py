"""A list file becomes contacts: read, mapped, checked, freed of duplicates, grouped by zone, written."""
