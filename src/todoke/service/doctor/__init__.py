"""`todoke doctor`: what is looked at, one concern a file. Each check is a function of facts that says what it found."""
