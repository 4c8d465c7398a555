"""The stages between a list file and a receipt. They hand over by row and do not import each other."""
