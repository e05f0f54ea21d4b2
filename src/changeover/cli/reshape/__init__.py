"""`changeover reshape`: files that were divided, joined or reduced to overrides."""
