"""A token server for Debian's registry: signs what users may do, with a key the registry trusts."""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from changeover.sources.oci.listening import Listening

LEEWAY = 60.0
"""Seconds the registry forgives."""
ISSUER, SERVICE = "tests", "registry.tests"


class TokenServer(Listening):
    """Users, their passwords, and the repositories each may push to; everybody may pull."""

    def __init__(self, folder: Path, users: dict[str, str], may_push: dict[str, str]) -> None:
        self.users, self.may_push = users, may_push
        self.lasts = 300.0
        """Seconds tokens are good for, whatever `expires_in` says."""
        self.asked: list[list[str]] = []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _certificate(self._key)
        self._chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER))
        self._bundle = folder / "token.pem"
        self._bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                status, body = outer.answer(query, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    @property
    def auth(self) -> dict[str, Any]:
        """What the registry is configured with."""
        realm = f"http://{self.host}/token"
        bundle = str(self._bundle)
        said = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}
        return {"token": said}

    def answer(self, query: dict[str, list[str]], authorization: str) -> tuple[int, bytes]:
        """Return a token for what a user may do of what was asked."""
        user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        if user and self.users.get(user) != password:
            return 401, b"{}"
        scopes = query.get("scope", [])
        self.asked.append(scopes)
        access = [_granted(scope, self.may_push.get(user)) for scope in scopes]
        return 200, json.dumps({"token": self._token(user, access), "expires_in": 300}).encode()

    def _token(self, user: str, access: list[dict[str, Any]]) -> str:
        now = time.time()
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain.decode()]}
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": int(now + self.lasts - LEEWAY),
            "nbf": int(now) - 600,
            "iat": int(now) - 600,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _granted(scope: str, own: str | None) -> dict[str, Any]:
    kind, name, actions = scope.split(":")
    allowed = {"pull"} | ({"push", "delete"} if own and name.startswith(own) else set())
    return {"type": kind, "name": name, "actions": sorted(allowed & set(actions.split(",")))}


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
