"""Certificates and names in TLS."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from oneo.errors import PermanentNodeError, TransientNodeError
from tests.http.server import Answer, RecordingServer
from tests.http.support import FakeDns, allowing, send


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for shop.example, with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    path.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[RecordingServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with RecordingServer(ssl_context=context) as running:
        yield running.on("GET", "/", Answer(body="secure"))


def test_certificates_and_sni_are_of_the_name_not_of_the_address(
    secure: RecordingServer, certificate: Path
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    dns = FakeDns(shop_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    guard = allowing(secure, resolver=dns)
    assert send(guard, secure.url("/", host="shop.example"), trust=trust).data == "secure"
    assert secure.server_names == ["shop.example"]
    with pytest.raises(
        PermanentNodeError, match=r"certificate of other\.example is not trusted: Hostname mismatch"
    ):
        send(guard, secure.url("/", host="other.example"), trust=trust)
    with pytest.raises(PermanentNodeError, match=r"certificate of 127\.0\.0\.1 is not trusted"):
        send(guard, secure.url(), trust=trust)


def test_an_unknown_authority_is_not_trusted(secure: RecordingServer) -> None:
    dns = FakeDns(shop_example=[["127.0.0.1"]])
    with pytest.raises(PermanentNodeError, match=r"self-signed certificate.*SSL_CERT_FILE"):
        send(allowing(secure, resolver=dns), secure.url("/", host="shop.example"))
    assert secure.requests == []


def test_an_operators_own_authority_is_trusted(
    secure: RecordingServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oneo.http.transport import _default_ssl_context

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _default_ssl_context.cache_clear()
    try:
        dns = FakeDns(shop_example=[["127.0.0.1"]])
        url = secure.url("/", host="shop.example")
        assert send(allowing(secure, resolver=dns), url).data == "secure"
    finally:
        _default_ssl_context.cache_clear()


def test_plain_http_on_a_tls_call_is_no_certificate_problem() -> None:
    with RecordingServer() as server, pytest.raises(TransientNodeError, match="could not connect"):
        send(allowing(server), server.url().replace("http:", "https:"))
