"""Todoke (届け, "reach!"): proactive SMS that anyone can run."""
