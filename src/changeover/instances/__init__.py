"""An instance folder, its secrets, and servers read as one."""
