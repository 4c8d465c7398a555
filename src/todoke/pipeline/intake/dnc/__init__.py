"""Files of numbers that are not to be texted, read as lists are."""
