"""Benchmarks: every figure is a ratio to a reference in the same run, the median of several. `make bench` prints JSON
lines.
"""
