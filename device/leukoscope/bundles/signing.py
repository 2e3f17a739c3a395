"""Who vouches for a bundle: Ed25519 signatures (RFC 8032) over an archive's contents."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from leukoscope.bundles.archive import Archive
from leukoscope.errors import BundleError

PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""32 bytes in base64, as `tools/pack_bundle.py new-key` prints it."""
NOBODY = "nobody"
"""Who signed what is not signed."""
_DOMAIN = b"leukoscope bundle contents\n"
"""Domain separation: stands before what is signed, so that a signature made for anything else never fits."""


def make_key() -> bytes:
    """A new private key, PKCS #8 in PEM without a password."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sign(private: bytes, contents: bytes) -> tuple[bytes, str]:
    """The signature, 64 bytes, and the public key that it can be checked with.

    Raises:
        BundleError: the key is none.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(private, password=None)
    except (ValueError, TypeError) as error:
        raise BundleError(f"the key cannot be read ({error})", "make one with tools/pack_bundle.py new-key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError("the key is no Ed25519 key", "make one with tools/pack_bundle.py new-key")
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return key.sign(_DOMAIN + contents), public


def signer_of(archive: Archive, keys: Sequence[str], origin: str, *, allow_unsigned: bool) -> str:
    """The fingerprint of the key that signed the archive, or "nobody" where that is allowed.

    Args:
        archive: as it was read.
        keys: public keys that are trusted.
        origin: where it came from, for errors.
        allow_unsigned: takes an archive without signature, and a signed one where no key is known to check it with.

    Raises:
        BundleError: no trusted key signed exactly these contents.
    """
    if archive.signature is None:
        if allow_unsigned:
            return NOBODY
        raise BundleError(
            f"{origin} is not signed",
            "have it signed with tools/pack_bundle.py, or say --allow-unsigned for a file "
            "of which you know where it comes from",
        )
    if not keys:
        if allow_unsigned:
            return NOBODY
        raise BundleError(
            f"{origin} is signed, but models.keys in the settings holds no key to check it with",
            "add the public key of the site that packs your bundles",
        )
    for key in keys:
        if _signed_by(key, archive.signature, archive.contents):
            return fingerprint(key)
    raise BundleError(
        f"{origin} was not signed with a key in models.keys ({', '.join(map(fingerprint, keys))}), or was altered",
        "copy it again from its source, or ask its packer for the public key",
    )


def fingerprint(key: str) -> str:
    """A short name for a public key."""
    return hashlib.sha256(base64.b64decode(key)).hexdigest()[:12]


def _signed_by(key: str, signature: bytes, contents: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, _DOMAIN + contents)
    except (InvalidSignature, ValueError):
        return False
    return True
