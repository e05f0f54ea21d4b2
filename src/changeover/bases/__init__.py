"""Where the base of an edited file comes from when nobody kept it: finders, in order of trust."""
