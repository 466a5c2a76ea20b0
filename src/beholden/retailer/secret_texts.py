"""Secrets of documented form, all random, and texts that only look like secrets.

Forms are those that the providers document for recognising leaked ones: prefix, alphabet, length, checksum where there
is one. None was ever issued by anybody.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from beholden.retailer.chance import Rng, hexadecimal

__all__ = ["LOOKALIKES", "SECRETS", "aws_secret_key"]

_LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_URL: Final = _ALPHABET + "-_"
_BASE64: Final = _ALPHABET + "+/"
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PUNCTUATION: Final = "!#%+-=?_"
_WORDS: Final = (
    "Harbour", "Walnut", "Copper", "Meadow", "Lantern", "Orchard", "Falcon", "Pebble", "Saffron", "Thistle", "Willow",
    "Compass", "Juniper", "Marble", "Raven", "Tundra",
)  # fmt: skip


def _some(rng: Rng, letters: str, count: int) -> str:
    return "".join(letters[i] for i in rng.integers(0, len(letters), count).tolist())


def _word(rng: Rng) -> str:
    return _WORDS[int(rng.integers(len(_WORDS)))]


def _password(rng: Rng) -> str:
    """As people make them, or as a manager does."""
    if rng.random() < 0.5:
        return (
            f"{_word(rng)}{_word(rng)}{int(rng.integers(10, 100))}{_PUNCTUATION[int(rng.integers(len(_PUNCTUATION)))]}"
        )
    return _some(rng, _ALPHABET + _PUNCTUATION, 18)


def _database_url(rng: Rng) -> str:
    scheme = ("postgresql", "mysql", "mongodb", "redis")[int(rng.integers(4))]
    host = f"{_word(rng).lower()}-db{int(rng.integers(1, 9))}.corp.meridian.example"
    return f"{scheme}://svc_{_word(rng).lower()}:{_some(rng, _ALPHABET, 20)}@{host}/{_word(rng).lower()}"


def aws_secret_key(rng: Rng) -> str:
    """The secret that goes with an access key id: forty letters of base64."""
    return _some(rng, _BASE64, 40)


def _github(rng: Rng) -> str:
    body = _some(rng, _ALPHABET, 30)
    check, digits = zlib.crc32(body.encode()), ""
    while check:
        check, digit = divmod(check, 62)
        digits = _ALPHABET[digit] + digits
    return f"ghp_{body}{digits.rjust(6, '0')}"


def _base64url(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _jwt(rng: Rng) -> str:
    head = _base64url(b'{"alg":"HS256","typ":"JWT"}')
    claims = {
        "sub": f"svc_{_word(rng).lower()}",
        "iss": "gatehouse.meridian.example",
        "exp": 2_000_000_000 + int(rng.integers(10**7)),
    }
    return f"{head}.{_base64url(json.dumps(claims, separators=(',', ':')).encode())}.{_base64url(rng.bytes(32))}"


def _private_key(rng: Rng) -> str:
    if rng.random() < 0.5:
        key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = _elliptic(rng)
    else:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.bytes(32))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().rstrip()


def _elliptic(rng: Rng) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(rng.bytes(31)) + 1, ec.SECP256R1())


def _public_key(rng: Rng) -> str:
    return _elliptic(rng).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().rstrip()


def _azure(rng: Rng) -> str:
    key = base64.b64encode(rng.bytes(64)).decode()
    name = f"meridian{_word(rng).lower()}"
    return f"DefaultEndpointsProtocol=https;AccountName={name};AccountKey={key};EndpointSuffix=core.windows.net"


def _basic(rng: Rng) -> str:
    return base64.b64encode(f"svc_{_word(rng).lower()}:{_some(rng, _ALPHABET, 16)}".encode()).decode()


def _uuid(rng: Rng) -> str:
    text = hexadecimal(rng, 32, 1)[0]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(rng.integers(4))]}{text[17:20]}-{text[20:]}"


def _slack_hook(rng: Rng) -> str:
    team, channel = _some(rng, _BASE32, 8), _some(rng, _BASE32, 10)
    return f"https://hooks.slack.com/services/T{team}/B{channel}/{_some(rng, _ALPHABET, 24)}"


def _slack_bot(rng: Rng) -> str:
    return f"xoxb-{int(rng.integers(10**11, 10**12))}-{int(rng.integers(10**12, 10**13))}-{_some(rng, _ALPHABET, 24)}"


#: kind -> how one is made.
SECRETS: Final[dict[str, Callable[[Rng], str]]] = {
    "aws_access_key": lambda rng: "AKIA" + _some(rng, _BASE32, 16),
    "aws_secret_key": aws_secret_key,
    "github_token": _github,
    "gitlab_token": lambda rng: f"glpat-{_some(rng, _URL, 20)}",
    "slack_token": _slack_bot,
    "slack_webhook": _slack_hook,
    "stripe_key": lambda rng: f"sk_live_{_some(rng, _ALPHABET, 24)}",
    "google_api_key": lambda rng: f"AIza{_some(rng, _URL, 35)}",
    "sendgrid_key": lambda rng: f"SG.{_some(rng, _URL, 22)}.{_some(rng, _URL, 43)}",
    "npm_token": lambda rng: f"npm_{_some(rng, _ALPHABET, 36)}",
    "azure_storage": _azure,
    "jwt": _jwt,
    "private_key": _private_key,
    "database_url": _database_url,
    "password": _password,
    "basic_auth": _basic,
    "bearer_token": lambda rng: _some(rng, _LOWER, 48),
    "otp_seed": lambda rng: f"otpauth://totp/Meridian:svc?secret={_some(rng, _BASE32, 32)}&issuer=Meridian",
}
#: Texts that are no secrets, though they look it.
LOOKALIKES: Final[dict[str, Callable[[Rng], str]]] = {
    "uuid": _uuid,
    "commit": lambda rng: hexadecimal(rng, 40, 1)[0],
    "sha256": lambda rng: f"sha256:{hexadecimal(rng, 64, 1)[0]}",
    "integrity": lambda rng: "sha512-" + base64.b64encode(rng.bytes(64)).decode(),
    "public_key": _public_key,
    "publishable_key": lambda rng: f"pk_live_{_some(rng, _ALPHABET, 24)}",
    "trace": lambda rng: f"00-{hexadecimal(rng, 32, 1)[0]}-{hexadecimal(rng, 16, 1)[0]}-01",
    "etag": lambda rng: hexadecimal(rng, 32, 1)[0],
    "tracking": lambda rng: str(int(rng.integers(10**15, 10**16))),
    "image": lambda rng: "data:image/png;base64,iVBORw0KGgo" + base64.b64encode(rng.bytes(57)).decode(),
    # What manuals print: never issued, and known to be so.
    "aws_example": lambda _: "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "aws_secret_example": lambda _: "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
    "placeholder": lambda rng: ("<your-token-here>", "${DB_PASSWORD}", "********", "xxxxxxxxxxxxxxxx", "REPLACE_ME")[
        int(rng.integers(5))
    ],
    "reference": lambda rng: f"vault:secret/data/{_word(rng).lower()}#password",
}
