"""The version of this code."""

VERSION = "0.0.0"
