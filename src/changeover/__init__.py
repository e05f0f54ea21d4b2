"""Changeover runs the upgrade guides of self-hosted platforms."""

__version__ = "0.1.0"
