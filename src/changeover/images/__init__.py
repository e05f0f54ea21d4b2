"""What releases do with container images."""
