"""Runs: checked and started, ended when nothing of them is open."""
