"""Which contacts of a list a filter wants, and the selections that runs are made of."""
