"""The metadata server of a Compute Engine VM on loopback: what google-auth asks it when it looks for credentials.

def test_one(metadata: MetadataServer) -> None:
    metadata.email = None  # a VM without a service account
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.wire.gce import ComputeServer

_ROOT = "/computeMetadata/v1"
_ACCOUNT = f"{_ROOT}/instance/service-accounts/default/"


class MetadataServer:
    """What is answered: the service account ``email`` of the VM, None without one. ``paths`` are those asked for."""

    def __init__(self, gce: ComputeServer) -> None:
        self.email: str | None = "vm@p.iam.gserviceaccount.com"
        self.paths: list[str] = []
        self._gce = gce

    def answer(self, path: str) -> object:
        """Return what stands at a path: text or a document; None where there is nothing."""
        self.paths.append(path)
        if path.startswith(_ACCOUNT) and self.email is None:
            return None
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        return {
            "/": "computeMetadata/",
            f"{_ROOT}/project/project-id": "p",
            f"{_ROOT}/universe/universe-domain": "googleapis.com",
            _ACCOUNT: {"aliases": ["default"], "email": self.email, "scopes": scopes},
            f"{_ACCOUNT}token": {"access_token": self._gce.token(), "expires_in": 3599, "token_type": "Bearer"},
        }.get(path)


def _bound(server: MetadataServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Metadata-Flavor") == "Google"
            told = server.answer(urlsplit(self.path).path) if known else None
            is_text = isinstance(told, str)
            body = (
                b"not found" if told is None else told.encode() if isinstance(told, str) else json.dumps(told).encode()
            )
            self.send_response(403 if not known else 404 if told is None else 200)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/text" if is_text else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Stay silent."""

    return Handler


@pytest.fixture(name="metadata")
def running_metadata(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[MetadataServer]:
    """Be on a VM: let google-auth find a metadata server and no credentials file."""
    from google.auth.compute_engine import _metadata

    found = MetadataServer(gce)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _bound(found))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    host = f"127.0.0.1:{http.server_address[1]}"
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("GCE_METADATA_IP", host)
    # google-auth reads these once, when it is imported.
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", host)
    monkeypatch.setattr(_metadata, "_NO_GCE_CHECK", False)
    try:
        yield found
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
