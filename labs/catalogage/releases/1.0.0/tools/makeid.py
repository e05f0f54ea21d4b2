"""Prints an identifier: `make id`."""

import uuid

if __name__ == "__main__":
    print(uuid.uuid4())
