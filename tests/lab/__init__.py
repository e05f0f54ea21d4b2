"""The labs themselves do what they promise."""
