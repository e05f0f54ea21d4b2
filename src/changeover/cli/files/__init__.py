"""`changeover files`: the configuration files of hosts, merged with their references."""
