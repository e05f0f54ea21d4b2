"""Prints a secret key: `make secretkey`."""

import secrets

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"

if __name__ == "__main__":
    print("".join(secrets.choice(ALPHABET) for _ in range(50)))
