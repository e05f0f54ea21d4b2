"""What a hostile night found."""
