"""Words on a command line become objects, a view and an exit code."""
