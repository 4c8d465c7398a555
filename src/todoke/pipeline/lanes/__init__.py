"""Lanes: the running queue of each transport code. Lease, compose, scrub, reserve, journal, write; never twice."""
