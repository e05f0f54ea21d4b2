"""The guides this project ships do what they promise, on the labs."""
