"""`changeover images`: container images in registries, layouts, archives and engines."""
