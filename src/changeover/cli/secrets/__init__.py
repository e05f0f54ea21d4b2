"""`secrets`: encrypted files of an instance, Ansible's vaults and age files alike."""
