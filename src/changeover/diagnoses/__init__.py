"""What can be wrong with a platform that runs, found by asking its hosts."""
