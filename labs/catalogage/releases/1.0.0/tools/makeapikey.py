"""Prints an API key: `make apikey`."""

import secrets

if __name__ == "__main__":
    print(secrets.token_hex(32))
