"""A site's own certificate authority: it signs the broker, devices, collectors and operators."""

import ipaddress
import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from leukoscope.errors import SettingsError

LONGEST_NAME = 64
"""Characters of a common name (RFC 5280, ub-common-name)."""
_AUTHORITY_DAYS = 3650
_CLOCKS_APART = timedelta(days=1)
"""A board without a battery may wake up yesterday; its certificates are valid a little before they were made."""


class Authority:
    """A key that never leaves its folder, and what it has signed.

    Keys are EC P-256, written with mode 0600 and never overwritten.
    """

    def __init__(self, folder: Path, *, now: datetime) -> None:
        """Open the authority in `folder`, or found one.

        Raises:
            SettingsError: the folder cannot be written, or what is in it cannot be read.
        """
        self._now = now
        self.certificate_file = folder / "ca.pem"
        self.revoked_file = folder / "revoked.pem"
        key_file = folder / "ca.key"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not key_file.exists():
                self._found(key_file)
            key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(
                f"the authority in {folder} cannot be used: {error}", "check the path, its owner and the disk"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SettingsError(
                f"expected an EC key in {key_file}, found another kind", "give the authority's own folder"
            )
        self._key = key
        if not self.revoked_file.exists():
            self._write_revoked([])

    def issue(self, folder: Path, name: str, *, days: int, hosts: Sequence[str] = ()) -> None:
        """Write `key.pem` and `cert.pem` for a holder into `folder`, and `ca.pem` beside them.

        Args:
            folder: made where it is missing.
            name: the common name, which the broker takes for the user's name.
            days: how long it is valid.
            hosts: names and addresses of a server; empty for a client, which cannot pose as a server then.

        Raises:
            SettingsError: the name is too long, or the folder cannot be written.
        """
        if len(name) > LONGEST_NAME:
            raise SettingsError(
                f"{name}: a certificate's name has at most {LONGEST_NAME} characters", "choose a shorter name"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            self._builder(name, days)
            .public_key(key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "ca.pem").write_bytes(self.certificate_file.read_bytes())
            _write_key(folder / "key.pem", key)
            (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise SettingsError(
                f"the certificate of {name} cannot be written: {error}", "check the path, its owner and the disk"
            ) from error

    def revoke(self, certificate_file: Path) -> None:
        """Put a certificate on the list of those that count no more; the broker reads it at SIGHUP.

        Raises:
            SettingsError: there is no certificate in that file.
        """
        try:
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
            revoked = list(x509.load_pem_x509_crl(self.revoked_file.read_bytes()))
        except (OSError, ValueError) as error:
            raise SettingsError(f"nothing to revoke: {error}", "issue a certificate first") from error
        if any(entry.serial_number == certificate.serial_number for entry in revoked):
            return
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(self._now)
        self._write_revoked([*revoked, entry.build()])

    def _found(self, key_file: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        # A name of its own: where two authorities share one, the wrong one is not called unknown but broken.
        name = f"leukoscope site authority {secrets.token_hex(4)}"
        builder = self._builder(name, _AUTHORITY_DAYS)
        certificate = (
            builder.public_key(key.public_key())
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(key_file, key)

    def _builder(self, name: str, days: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(self._now - _CLOCKS_APART, self._now + timedelta(days=days) - _CLOCKS_APART))
            .not_valid_after(self._now + timedelta(days=days))
        )

    def _write_revoked(self, revoked: Sequence[x509.RevokedCertificate]) -> None:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(self._now - _CLOCKS_APART)
            # A list that expires would shut everybody out.
            .next_update(self._now + timedelta(days=_AUTHORITY_DAYS))
        )
        for entry in revoked:
            builder = builder.add_revoked_certificate(entry)
        text = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.revoked_file.write_bytes(text)


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secret(file, text)


def write_secret(file: Path, content: bytes) -> None:
    """A new file for its owner alone, created with its mode: what is readable for a moment has been read.

    Raises:
        OSError: it is there already, or cannot be written.
    """
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
