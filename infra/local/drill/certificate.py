"""A TLS service whose certificate runs out, and the hooks of whoever renews certificates."""

import datetime as dt
import secrets
import ssl
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.json_handler import JsonHandler
from infra.local.postgres import HOST

FRESH_DAYS = 90.0
_STOP_SECONDS = 5.0
Certificate = x509.Certificate


class TlsService:
    """Serves one certificate over TLS at `url`, and its hooks at `hooks_url`.

    `calls` are the changes that somebody asked for, with what they sent.
    """

    def __init__(self) -> None:
        self.reader_token, self.writer_token = secrets.token_hex(16), secrets.token_hex(16)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued: dict[str, Certificate] = {}
        self._answered: dict[str, tuple[int, dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self.put_out(FRESH_DAYS)
        self._service, self._hooks = _TlsServer(self), _HookServer(self)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in (self._service, self._hooks)
        ]

    def __enter__(self) -> Self:
        """Open both."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both."""
        for server in (self._service, self._hooks):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    @property
    def url(self) -> str:
        """Where customers come."""
        return f"https://{HOST}:{self._service.server_port}/"

    @property
    def hooks_url(self) -> str:
        """Where certificates are renewed."""
        return f"http://{HOST}:{self._hooks.server_port}"

    def put_out(self, days: float) -> str:
        """Serve a new certificate that is valid for so many days; gives its serial."""
        made = _issue(self._key, days)
        serial = f"{made.serial_number:x}"
        self._issued[serial] = made
        self._serve(made)
        return serial

    def status(self) -> dict[str, Any]:
        """What `GET /certificate` answers."""
        now = dt.datetime.now(dt.UTC)
        left = self._served.not_valid_after_utc - now
        return {
            "host": HOST,
            "serial": f"{self._served.serial_number:x}",
            "issuer": "Drill",
            "daysLeft": round(left.total_seconds() / 86400, 3),
        }

    def change(self, path: str, body: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Renew or restore, once for each idempotency key."""
        with self._lock:
            if key not in self._answered:
                self.calls.append((f"POST {path}", dict(body)))
                self._answered[key] = self._changed(path, body)
            return self._answered[key]

    def _changed(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        previous = f"{self._served.serial_number:x}"
        if path == "/certificate/renew":
            return 200, {"serial": self.put_out(FRESH_DAYS), "previousSerial": previous}
        serial = str(body.get("serial"))
        if serial not in self._issued:
            return 422, {"title": "no such certificate"}
        self._serve(self._issued[serial])
        return 200, {"serial": serial}

    def _serve(self, certificate: Certificate) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(prefix="squad-tls-") as folder:
            file = Path(folder) / "chain.pem"
            file.write_bytes(_pem(self._key, certificate))
            context.load_cert_chain(file)
        self._served, self.context = certificate, context


class _TlsServer(ThreadingHTTPServer):
    """Each connection gets the certificate of the moment."""

    def __init__(self, service: TlsService) -> None:
        self._tls = service
        super().__init__((HOST, 0), _Page)

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as it is called
        """Shake hands in the connection's own thread: a slow client holds up nobody."""
        try:
            with self._tls.context.wrap_socket(request, server_side=True) as line:
                super().finish_request(line, client_address)
        except (ssl.SSLError, OSError):
            return  # a client that does not like the certificate hangs up


class _Page(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the incident."""


class _HookServer(ThreadingHTTPServer):
    def __init__(self, service: TlsService) -> None:
        self.service = service
        super().__init__((HOST, 0), _Hooks)


class _Hooks(JsonHandler):
    server: _HookServer

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        service = self.server.service
        if not self.may(service.reader_token, service.writer_token):
            self.answer(401, {"title": "who are you?"})
        elif self.path != "/certificate":
            self.answer(404, {"title": "nothing here"})
        else:
            self.answer(200, service.status())

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        service, body = self.server.service, self.body()
        if not self.may(service.writer_token):
            self.answer(403, {"title": "only the writer may"})
        elif self.path not in {"/certificate/renew", "/certificate/restore"}:
            self.answer(404, {"title": "nothing here"})
        else:
            key = self.headers.get("Idempotency-Key") or secrets.token_hex(8)
            self.answer(*service.change(self.path, body, key))


def _issue(key: ec.EllipticCurvePrivateKey, days: float) -> Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pay.drill.test")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def _pem(key: ec.EllipticCurvePrivateKey, certificate: Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
