"""Container images: registries, layouts and archives, and copies between them."""
