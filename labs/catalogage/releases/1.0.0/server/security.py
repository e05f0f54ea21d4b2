"""Passwords are stored as PBKDF2 digests, sessions as tokens signed with the secret key."""

from __future__ import annotations

import hashlib
import hmac
import secrets

ROUNDS = 20_000


def hash_password(password: str, salt: str | None = None) -> str:
    salt = salt or secrets.token_hex(8)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ROUNDS)
    return f"{salt}${digest.hex()}"


def password_matches(password: str, stored: str) -> bool:
    return hmac.compare_digest(hash_password(password, stored.partition("$")[0]), stored)


def make_token(email: str, secret_key: str) -> str:
    signature = hmac.new(secret_key.encode(), email.encode(), "sha256").hexdigest()
    return f"{email}:{signature}"


def email_of(token: str, secret_key: str) -> str | None:
    email = token.rpartition(":")[0]
    return email if hmac.compare_digest(make_token(email, secret_key), token) else None
