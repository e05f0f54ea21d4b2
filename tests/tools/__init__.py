"""Builders of commands and parsers of their output."""
