"""`changeover release`: releases checked, shown, packed, signed and carried."""
