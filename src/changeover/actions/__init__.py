"""What a release may ask for: one technology per file, listed in `changeover.actions.builtin`."""
