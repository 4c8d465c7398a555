"""Reports: readings for people, from the tallies. They cost the same whatever the size of the list."""
