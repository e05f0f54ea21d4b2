"""The formats: one file each, listed in `changeover.merge.catalogue`."""
