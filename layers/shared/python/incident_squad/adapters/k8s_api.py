"""The API of a cluster: a few fixed paths, as the function's own role or not at all."""

import base64
import json
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote

from incident_squad.adapters.aws_actions.calls import Denied, Missing, look
from incident_squad.domain.errors import InvalidConfiguration, StepFailed, TargetUnavailable

if TYPE_CHECKING:
    import urllib3

    from incident_squad.adapters.aws_actions.place import Clients

LARGEST = 4 * 1024 * 1024
SECONDS = 10
TOKEN_SECONDS = 60
_STRATEGIC = "application/strategic-merge-patch+json"
_JSON = "application/json-patch+json"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 401, 403, 404, 409, 422
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Cluster:
    """Where a cluster is, whom to trust as it, and what proves who we are."""

    endpoint: str
    authority: str
    token: str


class Clusters(Protocol):
    """Finds clusters by name."""

    def find(self, name: str, region: str | None) -> Cluster:
        """The cluster, with a fresh token; raises TargetUnavailable."""
        ...


class EksClusters:
    """Implements `Clusters` for EKS: a token is a presigned question to STS who we are."""

    def __init__(self, clients: "Clients") -> None:
        self._clients = clients
        self._lock = threading.Lock()

    def find(self, name: str, region: str | None) -> Cluster:
        """The cluster as EKS describes it."""
        eks = self._clients("eks", region)
        answer = look(f"reading the cluster '{name}'", eks.describe_cluster, name=name)
        found = answer["cluster"]
        authority = base64.b64decode(found["certificateAuthority"]["data"]).decode()
        return Cluster(str(found["endpoint"]), authority, self._token(name, region))

    def _token(self, name: str, region: str | None) -> str:
        def name_the_cluster(request: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
            request.headers["x-k8s-aws-id"] = name

        sts, event = self._clients("sts", region), "before-sign.sts.GetCallerIdentity"
        with self._lock:  # another thread may ask for another cluster
            sts.meta.events.register(event, name_the_cluster)
            try:
                signed: str = sts.generate_presigned_url(
                    "get_caller_identity", ExpiresIn=TOKEN_SECONDS, HttpMethod="GET"
                )
            finally:
                sts.meta.events.unregister(event, name_the_cluster)
        return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


class K8sApi:
    """Reads and patches deployments of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def deployment(self, namespace: str, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The deployment."""
        return self._look(_path("apis/apps/v1", namespace, "deployments", name))

    def listed(
        self, kind: Literal["replicasets", "pods"], namespace: str, labels: Mapping[str, str]
    ) -> Sequence[Any]:
        """Replica sets or pods with these labels."""
        api = "apis/apps/v1" if kind == "replicasets" else "api/v1"
        selector = quote(",".join(f"{name}={value}" for name, value in sorted(labels.items())))
        answer = self._look(f"{_path(api, namespace, kind)}?labelSelector={selector}&limit=500")
        items: Sequence[Any] = answer.get("items", ())
        return items

    def previous_log(self, namespace: str, pod: str, container: str) -> str:
        """The last lines of a container before its restart."""
        asked = f"previous=true&tailLines=50&limitBytes=8192&container={quote(container)}"
        path = f"{_path('api/v1', namespace, 'pods', pod)}/log?{asked}"
        return self._send("GET", path).decode(errors="replace")

    def merge(self, namespace: str, name: str, patch: Mapping[str, Any]) -> None:
        """A strategic merge patch of a deployment; raises StepFailed when its end is unknown."""
        path = _path("apis/apps/v1", namespace, "deployments", name)
        self._send("PATCH", path, _STRATEGIC, patch)

    def patch(self, namespace: str, name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """A JSON patch of a deployment: all of its operations or, when a test fails, none."""
        path = _path("apis/apps/v1", namespace, "deployments", name)
        self._send("PATCH", path, _JSON, operations)

    def _look(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        return self._asked("GET", path)

    def _asked(self, method: str, path: str, sent: object = None) -> Any:  # noqa: ANN401 - any JSON
        try:
            kind = "" if sent is None else "application/json"
            content = json.loads(self._send(method, path, kind, sent))
        except ValueError as error:
            raise TargetUnavailable("the cluster did not answer with JSON") from error
        if not isinstance(content, dict):
            raise TargetUnavailable("the cluster did not answer with an object")
        return content

    def _send(self, method: str, path: str, kind: str = "", content: object = None) -> bytes:
        import urllib3  # noqa: PLC0415 - not needed by most functions

        headers = {"Authorization": f"Bearer {self._cluster.token}", "Accept": "application/json"}
        body = None if content is None else json.dumps(content).encode()
        try:
            with self._pool() as pool:
                response = pool.request(
                    method,
                    f"{self._cluster.endpoint}/{path}",
                    body=body,
                    headers={**headers, "Content-Type": kind} if kind else headers,
                    timeout=urllib3.Timeout(connect=3, read=SECONDS),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                return _read(response, method)
        except (
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
            urllib3.exceptions.SSLError,
        ) as error:
            raise TargetUnavailable(f"the cluster cannot be reached: {_name(error)}") from error
        except urllib3.exceptions.HTTPError as error:
            raise _open(method, f"no answer of the cluster: {_name(error)}") from error

    def _pool(self) -> "urllib3.PoolManager":
        import ssl  # noqa: PLC0415 - with urllib3

        import urllib3  # noqa: PLC0415 - not needed by most functions

        if not self._cluster.endpoint.startswith("https://"):
            raise InvalidConfiguration("the API of a cluster is asked by https only")
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as authority:
            authority.write(self._cluster.authority)
            authority.flush()
            context = ssl.create_default_context(cafile=authority.name)
        return urllib3.PoolManager(ssl_context=context)


def _read(response: "urllib3.BaseHTTPResponse", method: str) -> bytes:
    content = bytearray()
    try:
        for chunk in response.stream(65_536):
            content += chunk
            if len(content) > LARGEST:
                raise _open(method, "the cluster answers with too much")
    finally:
        response.close()
    if response.status < 300:  # noqa: PLR2004 - HTTP's successes
        return bytes(content)
    said = _message(bytes(content))
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise Denied(f"the cluster refuses us: {said}")
    if response.status == _NOT_FOUND:
        raise Missing(f"the cluster knows no such thing: {said}")
    if response.status < _SERVER_ERROR:
        changed = response.status in {_CONFLICT, _UNPROCESSABLE}
        why = "it has changed in between" if changed else "the cluster takes it not"
        raise TargetUnavailable(f"{why}: {said}")
    raise _open(method, f"the cluster failed with HTTP {response.status}: {said}")


def _message(content: bytes) -> str:
    try:
        found = json.loads(content)
        return str(found.get("message", ""))[:300] if isinstance(found, dict) else ""
    except ValueError:
        return content[:200].decode(errors="replace")


def _open(method: str, why: str) -> TargetUnavailable | StepFailed:
    return TargetUnavailable(why) if method == "GET" else StepFailed(why)


def _path(api: str, namespace: str, kind: str, name: str = "") -> str:
    parts = [api, "namespaces", quote(namespace, safe=""), kind]
    return "/".join([*parts, quote(name, safe="")] if name else parts)


def _name(error: Exception) -> str:
    return str(error).rpartition(": ")[2][:200] or type(error).__name__
