"""One person's data: found in every table, read, erased; and how long things are kept."""
