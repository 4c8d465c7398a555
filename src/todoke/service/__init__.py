"""The composition root: builds, starts and stops the parts. Stops in the reverse order of starting."""
