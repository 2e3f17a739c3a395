"""The page over TLS, with the certificate that was provisioned for it."""

import http.client
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from leukoscope.cli.web import page_arguments
from leukoscope_collector.provisioning.site import Site
from tests.brokers import HOST
from tests.web.conftest import NAME, PIN
from tests.web.made import make_bench

DEVICE = "ward-3/scope-1"
OWN = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's folder, with a page for one device."""
    folder = tmp_path_factory.mktemp("site")
    made = Site(folder, hosts=[HOST], port=8883, days=30, now=datetime.now(UTC))
    made.add_device(DEVICE, None)
    made.add_web(DEVICE, [HOST, "scope-1.clinic.example"], None)
    return folder


@pytest.fixture(scope="module")
def served(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """A bench with these lines in its settings file; port and set-up code of its page."""
    bench = make_bench(tmp_path_factory.mktemp("bench"))
    lines = (site / "web" / DEVICE / "web.toml").read_text()
    bench.write_text(bench.read_text() + lines.replace("0.0.0.0", HOST))
    command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench, 0)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"https://127\.0\.0\.1:(\d+)/", process.stdout.readline())
            assert found is not None
            yield int(found[1]), process.stdout.readline().split()[-1]
        finally:
            process.kill()


def trusting(site: Path) -> ssl.SSLContext:
    """A browser that trusts the site's authority, and no other."""
    return ssl.create_default_context(cafile=str(site / "authority" / "ca.pem"))


def test_a_browser_that_trusts_the_site_reaches_the_page_and_keeps_its_cookie_for_tls(
    site: Path, served: tuple[int, str]
) -> None:
    port, code = served
    client = http.client.HTTPSConnection(HOST, port, timeout=10, context=trusting(site))
    body = urlencode({"code": code, "name": NAME, "secret": PIN})
    client.request("POST", "/set-up", body, OWN | {"origin": f"https://{HOST}:{port}"})
    answer = client.getresponse()
    assert answer.status == 303
    assert "; Secure" in str(answer.headers["set-cookie"])
    client.close()


def version_of(port: int, context: ssl.SSLContext, host: str = HOST) -> str | None:
    """The version of TLS that a browser and the page agree on."""
    plain = socket.create_connection((HOST, port), timeout=10)
    with plain, context.wrap_socket(plain, server_hostname=host) as secured:
        return secured.version()


def test_a_browser_that_trusts_others_or_asks_for_another_host_is_warned(site: Path, served: tuple[int, str]) -> None:
    port, _ = served
    assert version_of(port, trusting(site)) == "TLSv1.3"
    assert version_of(port, trusting(site), "scope-1.clinic.example") == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        version_of(port, ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        version_of(port, trusting(site), "scope-2.clinic.example")


def test_nothing_is_answered_in_the_clear(served: tuple[int, str]) -> None:
    port, _ = served
    with socket.create_connection((HOST, port), timeout=10) as plain:
        plain.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"HTTP" not in plain.recv(1000)
        except ConnectionError as error:
            assert str(error)


def test_the_certificate_of_a_page_poses_as_no_device(site: Path) -> None:
    command = ["openssl", "x509", "-in", str(site / "web" / DEVICE / "cert.pem"), "-noout", "-purpose"]
    purposes = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "SSL client : No" in purposes
    assert "SSL server : Yes" in purposes
