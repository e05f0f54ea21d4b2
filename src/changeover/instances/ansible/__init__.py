"""An existing Ansible environment, read as an instance without changing it."""
