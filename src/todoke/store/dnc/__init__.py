"""DNC groups in bulk: files of numbers in and out, and what has expired swept away."""
