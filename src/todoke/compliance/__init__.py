"""May we text this contact now? Decisions as pure functions of the facts and the clock."""
