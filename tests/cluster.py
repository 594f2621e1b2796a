"""A cluster on the loopback address: its API as far as deployments go, with TLS and a token."""

import copy
import datetime as dt
import ipaddress
import json
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from incident_squad.adapters.k8s_api import Cluster

TOKEN = "k8s-aws-v1.the-token"
REVISION = "deployment.kubernetes.io/revision"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def a_certificate() -> tuple[str, str]:
    """Key and certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cluster")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


class FakeCluster:
    """Deployments with their replica sets and pods, from entering to leaving.

    `breaks` is how the next patch goes wrong: `before` or `after` it took effect, or with a `500`.
    `rights` are what whoever asks may do, as `verb resource`; None answers no such question.
    """

    def __init__(self) -> None:
        self.deployments: dict[str, Any] = {}
        self.replica_sets: dict[str, list[Any]] = {}
        self.pods: dict[str, list[Any]] = {}
        self.breaks: str | None = None
        self.rights: set[str] | None = None
        self.patches: list[str] = []
        key, self.authority = a_certificate()
        self._folder = tempfile.TemporaryDirectory()
        files = [Path(self._folder.name) / name for name in ("key.pem", "certificate.pem")]
        for path, content in zip(files, (key, self.authority), strict=True):
            path.write_text(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files[1], files[0])
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.cluster = self  # type: ignore[attr-defined] # what its handlers look into
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    def find(self, name: str, region: str | None) -> Cluster:
        """Implements `Clusters`."""
        return Cluster(f"https://127.0.0.1:{self._server.server_port}", self.authority, TOKEN)

    def deploy(self, key: str, *images: str, memory: str = "512Mi", replicas: int = 2) -> None:
        """A deployment that has had these releases, the last one being the present one."""
        namespace, name = key.split("/")
        self.deployments[key] = {
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{name}",
                "resourceVersion": "1",
                "generation": 1,
                "annotations": {},
            },
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {},
            },
            "status": {},
        }
        self.replica_sets[key], self.pods[key] = [], []
        for image in images:
            limits = {"limits": {"memory": memory}, "requests": {"memory": "64Mi"}}
            containers = [
                {"name": name, "image": image, "resources": limits},
                {"name": "sidecar", "image": "proxy:1"},
            ]
            template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
            self.deployments[key]["spec"]["template"] = template
            self.roll(key)

    def roll(self, key: str) -> None:
        """What the deployment's controller does when the template is another one."""
        found, sets = self.deployments[key], self.replica_sets[key]
        template = found["spec"]["template"]
        revision = str(
            1 + max((int(s["metadata"]["annotations"][REVISION]) for s in sets), default=0)
        )
        old = next((s for s in sets if bare(s["spec"]["template"]) == template), None)
        if old is None:
            labels = {**template["metadata"]["labels"], "pod-template-hash": f"h{len(sets)}"}
            hashed = copy.deepcopy(template)
            hashed["metadata"]["labels"] = labels
            old = {
                "metadata": {
                    "labels": labels,
                    "ownerReferences": [{"uid": found["metadata"]["uid"]}],
                    "creationTimestamp": "2026-11-22T11:50:00Z",
                    "annotations": {},
                },
                "spec": {"template": hashed},
            }
            sets.append(old)
        old["metadata"]["annotations"][REVISION] = revision
        found["metadata"]["annotations"][REVISION] = revision
        self.settle(key)

    def settle(self, key: str) -> None:
        """All pods run the present release."""
        found = self.deployments[key]
        wanted = found["spec"]["replicas"]
        found["status"] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": wanted,
        }

    def change(self, key: str, kind: str, patch: Any) -> tuple[int, Any]:
        """Take a patch as the API server does: all of it or nothing."""
        now = self.deployments[key]
        new = copy.deepcopy(now)
        if kind == STRATEGIC:
            version = patch.get("metadata", {}).pop("resourceVersion", None)
            if version not in {None, now["metadata"]["resourceVersion"]}:
                return 409, {"message": "the object has been modified"}
            merge(new, patch)
        elif kind == JSON_PATCH:
            for operation in patch:
                if not operate(new, operation):
                    return 422, {"message": "the server rejected our request"}
        else:
            return 415, {"message": kind}
        if new["metadata"]["name"] != now["metadata"]["name"]:
            return 422, {"message": "name is immutable"}
        metadata = new["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        metadata["generation"] += 1
        self.deployments[key] = new
        if new["spec"]["template"] != now["spec"]["template"]:
            self.roll(key)
        self.settle(key)
        return 200, self.deployments[key]


def bare(template: Any) -> Any:
    found = copy.deepcopy(template)
    found["metadata"]["labels"].pop("pod-template-hash", None)
    return found


def merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    """A strategic merge: containers are merged by their names."""
    for key, value in patch.items():
        if key == "containers":
            for one in value:
                merge(next(c for c in into[key] if c["name"] == one["name"]), one)
        elif isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def operate(document: Any, operation: Any) -> bool:
    *path, last = [
        part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
    ]
    for part in path:
        document = document[part]
    if operation["op"] == "test":
        return bool(document.get(last) == operation["value"])
    document[last] = operation["value"]
    return bool(operation["op"] == "replace")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def cluster(self) -> FakeCluster:
        found: FakeCluster = self.server.cluster  # type: ignore[attr-defined] # see FakeCluster
        return found

    def do_GET(self) -> None:
        if self._known():
            self._answer(*self._read())

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._known():
            return
        broken, self.cluster.breaks = self.cluster.breaks, None
        answer: tuple[int, Any] = (500, {})
        if broken == "500":
            self._answer(500, {"message": "etcd is away"})
            return
        if broken != "before":
            key = self._key()
            self.cluster.patches.append(key)
            if key not in self.cluster.deployments:
                self._answer(404, {"message": "not found"})
                return
            kind = self.headers.get("Content-Type", "")
            answer = self.cluster.change(key, kind, json.loads(body))
        if broken is not None:
            self.close_connection = True
            return
        self._answer(*answer)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if not self._known():
            return
        if self.cluster.rights is None or not self.path.endswith("/selfsubjectaccessreviews"):
            self._answer(403, {"message": "forbidden"})
            return
        asked = body["spec"]["resourceAttributes"]
        part = f"/{asked['subresource']}" if "subresource" in asked else ""
        allowed = f"{asked['verb']} {asked['resource']}{part}" in self.cluster.rights
        self._answer(201, {"status": {"allowed": allowed}})

    def _known(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._answer(401, {"message": "Unauthorized"})
        return False

    def _key(self) -> str:
        parts = urlsplit(self.path).path.split("/")
        return f"{parts[5]}/{parts[7]}"

    def _read(self) -> tuple[int, Any]:
        address = urlsplit(self.path)
        parts, asked = address.path.split("/"), parse_qs(address.query)
        if parts[-1] == "log":
            return 200, "OutOfMemoryError: heap\nbye"
        if parts[-1] in {"replicasets", "pods"}:
            (selector,) = asked["labelSelector"]
            key = f"{parts[-2]}/{selector.removeprefix('app=')}"
            kind = self.cluster.replica_sets if parts[-1] == "replicasets" else self.cluster.pods
            return 200, {"items": kind.get(key, [])}
        found = self.cluster.deployments.get(self._key())
        return (200, found) if found else (404, {"message": "not found"})

    def _answer(self, status: int, content: Any) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
