"""`env`: the environments of a folder, native instances and Ansible environments alike."""
