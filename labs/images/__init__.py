"""Two registries, three releases with images of their own, and an engine where there is one."""
