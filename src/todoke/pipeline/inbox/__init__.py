"""What phones say: stored, understood as far as the law asks, and only then acknowledged."""
