"""The way to the API server: credentials, TLS, proxies, and every failure as one sentence of the ports' error tree."""

import base64
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.wire.certificates import Authority
from tests.wire.kube import Fault, KubeServer, node_object
from tui.kube import KubeNodes, kubeconfig
from tui.kube import connection as kube_connection
from tui.kube.entries import UserEntry
from tui.ports import ClusterFacts, Denied, Expired, PortError, Throttled, Unavailable

V1 = "client.authentication.k8s.io/v1"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", *PROXY_VARIABLES, *map(str.lower, PROXY_VARIABLES)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[KubeServer]:
    """A server that knows the token ``good``."""
    with KubeServer([node_object("a")], tls=True, authorizations=["Bearer good"]) as running:
        yield running


def opened(
    server: KubeServer,
    folder: Path,
    user: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> KubeNodes:
    path = server.kubeconfig(folder / "config", user=user, cluster=cluster)
    return KubeNodes.open(kubeconfig=str(path), context=None)


def failure(nodes: KubeNodes, kind: type[PortError]) -> str:
    with pytest.raises(kind) as raised:
        nodes.list()
    text = str(raised.value)
    assert "\n" not in text
    assert "\x1b" not in text
    return text


def plugin(folder: Path, script: str, **more: object) -> dict[str, object]:
    """Return a user whose exec plugin is this Python script; it counts its runs in the file ``runs``."""
    path = folder / "login"
    count = f"open({str(folder / 'runs')!r}, 'a').write('x')"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{count}\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": V1, "command": str(path), "interactiveMode": "IfAvailable", **more}}


def printing(status: Mapping[str, object], api_version: str = V1) -> str:
    return f"print({json.dumps(json.dumps({'apiVersion': api_version, 'kind': 'ExecCredential', 'status': status}))})"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_a_token(server: KubeServer, tmp_path: Path) -> None:
    assert len(opened(server, tmp_path, {"token": "good"}).list().nodes) == 1


def test_a_token_file_goes_before_a_token(server: KubeServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("good\n")
    assert opened(server, tmp_path, {"tokenFile": "token", "token": "bad"}).list().nodes


def test_a_token_file_that_is_missing(server: KubeServer, tmp_path: Path) -> None:
    assert "cannot be read" in failure(opened(server, tmp_path, {"tokenFile": "token"}), Denied)


def test_user_name_and_password(server: KubeServer, tmp_path: Path) -> None:
    server.authorizations = {"Basic " + base64.b64encode(b"me:secret").decode()}
    assert opened(server, tmp_path, {"username": "me", "password": "secret"}).list().nodes


def test_an_oidc_token_that_kubectl_keeps(server: KubeServer, tmp_path: Path) -> None:
    provider = {"name": "oidc", "config": {"id-token": "good", "refresh-token": "r"}}
    assert opened(server, tmp_path, {"auth-provider": provider}).list().nodes
    gone = {"name": "gcp", "config": {"access-token": "good"}}
    assert "the auth-provider gcp" in failure(opened(server, tmp_path, {"auth-provider": gone}), Denied)


@pytest.mark.parametrize("as_files", [False, True])
def test_a_client_certificate(tmp_path: Path, as_files: bool) -> None:
    authority = Authority("users")
    pair = authority.client()
    certificate, key = pair.write(tmp_path, "me")
    user: dict[str, object] = {"client-certificate": certificate.name, "client-key": key.name}
    if not as_files:
        encoded = (base64.b64encode(part).decode() for part in (pair.certificate, pair.key))
        user = dict(zip(("client-certificate-data", "client-key-data"), encoded, strict=True))
    with KubeServer([node_object("a")], tls=True, client_authority=authority) as server:
        assert opened(server, tmp_path, user).list().nodes
        assert "TLS" in failure(opened(server, tmp_path), Unavailable)


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate": "nope", "client-key": "nope"},
        {"client-certificate-data": "%%%", "client-key-data": "%%%"},
    ],
)
def test_a_client_certificate_that_cannot_be_used(server: KubeServer, tmp_path: Path, user: dict[str, object]) -> None:
    assert f"{tmp_path}/config cannot be used" in failure(opened(server, tmp_path, user), Denied)


def test_impersonation_is_not_forgotten(server: KubeServer, tmp_path: Path) -> None:
    extra = {"as-groups": ["g1", "g2"], "as-user-extra": {"a/b": ["c"]}}
    opened(server, tmp_path, {"token": "good", "as": "jane", **extra}).list()
    headers = server.requests[-1].headers
    assert headers["impersonate-user"] == "jane"
    assert headers["impersonate-extra-a%2fb"] == "c"
    assert headers["impersonate-group"] in {"g2", "g1, g2"}


def test_no_credentials_travel_in_plain_http(tmp_path: Path) -> None:
    with KubeServer([node_object("a")]) as server:
        user = plugin(tmp_path, printing({"token": "good"}))
        assert opened(server, tmp_path, {"token": "good", "as": "jane", **user}).list().nodes
        assert not {"authorization", "impersonate-user"} & server.requests[-1].headers.keys()
        assert not (tmp_path / "runs").exists()


def test_an_exec_plugin_is_asked_once(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, plugin(tmp_path, printing({"token": "good"})))
    nodes.list()
    nodes.list()
    assert runs(tmp_path) == 1


def test_an_exec_plugin_gets_its_arguments_and_what_kubectl_tells(server: KubeServer, tmp_path: Path) -> None:
    script = (
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "print('not for the terminal', file=sys.stderr)\n"
        "spec = info['spec']\n"
        "told = [sys.argv[1:], os.environ['WHO'], spec['interactive'], spec['cluster'], sys.stdin.read()]\n"
        f"json.dump(told, open({str(tmp_path / 'told')!r}, 'w'))\n" + printing({"token": "good"})
    )
    user = plugin(tmp_path, script, args=["a", "b"], env=[{"name": "WHO", "value": "me"}], provideClusterInfo=True)
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
    opened(server, tmp_path, user, {"extensions": [extension]}).list()
    arguments, who, interactive, cluster, standard_input = json.loads((tmp_path / "told").read_text())
    assert (arguments, who, interactive, standard_input) == (["a", "b"], "me", False, "")
    assert (cluster["server"], cluster["config"]) == (server.url, {"audience": "x"})
    assert base64.b64decode(cluster["certificate-authority-data"]) == server.authority.pem


def test_an_exec_plugin_meets_neither_the_terminal_nor_its_input(
    server: KubeServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = (
        "print('enter your password', file=sys.stderr)\n"
        "try:\n    open('/dev/tty').close(); print('has a terminal', file=sys.stderr)\nexcept OSError: pass\n"
        "assert os.getsid(0) == os.getpid()\n" + printing({"token": "good"})
    )
    opened(server, tmp_path, plugin(tmp_path, script)).list()
    assert capfd.readouterr() == ("", "")


def test_a_plugin_may_answer_with_a_certificate(tmp_path: Path) -> None:
    authority = Authority("users")
    pair = authority.client()
    status = {"clientCertificateData": pair.certificate.decode(), "clientKeyData": pair.key.decode()}
    with KubeServer([node_object("a")], tls=True, client_authority=authority) as server:
        assert opened(server, tmp_path, plugin(tmp_path, printing(status))).list().nodes


def test_credentials_that_have_expired_are_asked_for_again(server: KubeServer, tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    nodes = opened(server, tmp_path, plugin(tmp_path, printing({"token": "good", "expirationTimestamp": soon})))
    nodes.list()
    nodes.list()
    assert runs(tmp_path) > 1


def test_credentials_that_last_are_kept(server: KubeServer, tmp_path: Path) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    nodes = opened(server, tmp_path, plugin(tmp_path, printing({"token": "good", "expirationTimestamp": later})))
    nodes.list()
    nodes.list()
    assert runs(tmp_path) == 1


@pytest.mark.parametrize(
    ("script", "more", "said"),
    [
        ("sys.exit('\\n\\x1b[31mtoken expired\\nTraceback')", {}, "fails: \\x1b[31mtoken expired"),
        ("sys.exit(7)", {}, "fails: exit code 7 (:login in the console lets it ask you"),
        ("sys.exit(7)", {"interactiveMode": "Never"}, "fails: exit code 7"),
        ("print('hello')", {}, "does not print credentials"),
        (printing({}), {}, "prints neither a token nor a certificate"),
        (printing({"clientCertificateData": "x"}), {}, "prints neither a token nor a certificate"),
        (printing({"token": "t"}, "client.authentication.k8s.io/v1beta1"), {}, "answers in apiVersion"),
        (printing({"token": "two\nlines"}), {}, "holds characters that no token has"),
        ("", {"interactiveMode": "Always"}, "logs in on the terminal only: :login"),
        (
            "",
            {"command": "no-such-plugin", "installHint": "see https://example.com\nfor more"},
            "see https://example.com",
        ),
        ("", {"command": "no-such-plugin"}, "the exec plugin no-such-plugin of the kubeconfig"),
        ("", {"command": "/"}, "cannot be run"),
    ],
)
def test_an_exec_plugin_that_does_not_help(
    tmp_path: Path, script: str, more: Mapping[str, object], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with KubeServer(tls=True) as server:
        assert said in failure(opened(server, tmp_path, plugin(tmp_path, script, **more)), Denied)
        assert server.requests == []
    assert capfd.readouterr() == ("", "")


def test_an_exec_plugin_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.kube.credentials._PLUGIN_TIMEOUT_S", 0.5)
    script = "import subprocess; subprocess.run(['sleep', '60'])"
    with KubeServer(tls=True) as server:
        assert "gave no answer" in failure(opened(server, tmp_path, plugin(tmp_path, script)), Denied)


def test_after_a_401_the_credentials_are_made_anew_once(server: KubeServer, tmp_path: Path) -> None:
    script = f"first = not os.path.getsize({str(tmp_path / 'runs')!r}) - 1\n"
    answer = printing({"token": "TOKEN"}).replace("TOKEN", "good")
    script += f"if first:\n    {printing({'token': 'stale'})}\nelse:\n    {answer}"
    nodes = opened(server, tmp_path, plugin(tmp_path, script))
    assert nodes.list().nodes
    assert runs(tmp_path) == 2


def test_a_login_that_rewrites_the_kubeconfig_is_noticed(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, {"token": "good"})
    nodes.list()
    server.authorizations = {"Bearer better"}
    server.kubeconfig(tmp_path / "config", user={"token": "better"})
    assert nodes.list().nodes
    assert next(nodes.watch("0")).node is not None


def test_a_kubeconfig_that_leads_elsewhere_meanwhile_is_not_followed(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, {"token": "good"})
    nodes.list()
    server.authorizations = {"Bearer better"}
    with KubeServer() as other:
        other.kubeconfig(tmp_path / "config")
        assert "has another server for this context now" in failure(nodes, Denied)
        assert other.requests == []
    (tmp_path / "config").unlink()
    assert "does not exist" in failure(nodes, Denied)


def test_a_token_that_is_not_accepted(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, {"token": "bad"})
    assert "does not accept the credentials of the context wire: log in again" in failure(nodes, Denied)
    assert len(server.requests) == 2
    with pytest.raises(Denied):
        next(nodes.watch("1"))
    assert nodes.facts() == ClusterFacts()


def test_forbidden_says_what_the_server_says(server: KubeServer, tmp_path: Path) -> None:
    said = 'nodes is forbidden: User "jane\x1b" cannot list resource "nodes" in API group "" at the cluster scope'
    server.fail(Fault(status=403, message=said))
    told = failure(opened(server, tmp_path, {"token": "good"}), Denied)
    assert 'User "jane\\x1b" cannot list resource "nodes"' in told


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), 7.0),
        (Fault(status=429, details={"retryAfterSeconds": 3}), 3.0),
        (Fault(status=429, headers={"Retry-After": "Wed, 01 Jan 2026 00:00:00 GMT"}), None),
    ],
)
def test_too_many_requests(server: KubeServer, tmp_path: Path, fault: Fault, seconds: float | None) -> None:
    server.fail(fault)
    with pytest.raises(Throttled) as raised:
        opened(server, tmp_path, {"token": "good"}).list()
    assert raised.value.retry_after_s == seconds
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (Fault(status=500, message="etcdserver: leader changed"), Unavailable, "etcdserver: leader changed"),
        (Fault(status=503, body=b"<html>\x1b[2J</html>"), Unavailable, "cannot answer: HTTP 503"),
        (Fault(status=302, headers={"Location": "https://login.example.com/"}, body=b""), Unavailable, "HTTP 302"),
        (Fault(status=404), Unavailable, "does not serve nodes"),
        (Fault(status=400, message="bad limit"), Unavailable, "bad limit"),
        (Fault(drop=True), Unavailable, "cannot be reached"),
    ],
)
def test_other_answers(server: KubeServer, tmp_path: Path, fault: Fault, kind: type[PortError], said: str) -> None:
    server.fail(fault)
    assert said in failure(opened(server, tmp_path, {"token": "good"}), kind)
    assert len(server.requests) == 1


def test_a_watch_meets_the_same_answers(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, {"token": "good"})
    for status, kind in ((403, Denied), (410, Expired), (429, Throttled), (500, Unavailable), (404, Unavailable)):
        server.fail(Fault(status=status, watch=True))
        with pytest.raises(kind):
            next(nodes.watch("1"))


def test_a_server_that_does_not_answer(server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_connection, "_READ_TIMEOUT_S", 0.3)
    server.fail(Fault(hang=True))
    assert "does not answer in time" in failure(opened(server, tmp_path, {"token": "good"}), Unavailable)


def test_a_refused_connection(tmp_path: Path) -> None:
    with KubeServer() as server:
        nodes = opened(server, tmp_path)
    assert f"{server.url} cannot be reached (Connection refused)" in failure(nodes, Unavailable)


def test_a_name_that_cannot_be_resolved(server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    nodes = opened(server, tmp_path, cluster={"server": "https://kube.invalid:6443"})
    assert "the name of https://kube.invalid:6443 cannot be resolved" in failure(nodes, Unavailable)


@pytest.mark.parametrize("address", ["https://127.0.0.1:99999", "https://[::1", "ftp://127.0.0.1"])
def test_a_server_that_is_no_address(server: KubeServer, tmp_path: Path, address: str) -> None:
    with pytest.raises((Denied, Unavailable)):
        opened(server, tmp_path, {"token": "good"}, {"server": address}).list()


def test_a_certificate_of_another_authority(server: KubeServer, tmp_path: Path) -> None:
    other = base64.b64encode(Authority("wire-ca").pem).decode()
    told = failure(opened(server, tmp_path, {"token": "good"}, {"certificate-authority-data": other}), Unavailable)
    assert told.startswith(f"the certificate of {server.url} is not trusted (")
    assert f"check certificate-authority in the kubeconfig {tmp_path}/config" in told


def test_a_certificate_that_no_public_authority_knows(server: KubeServer, tmp_path: Path) -> None:
    nodes = opened(server, tmp_path, {"token": "good"}, {"certificate-authority-data": ""})
    assert "is not trusted (" in failure(nodes, Unavailable)


def test_a_certificate_for_another_name_and_tls_server_name(tmp_path: Path) -> None:
    with KubeServer([node_object("a")], tls=True, hosts=["kube.example.com"]) as server:
        assert "check tls-server-name" in failure(opened(server, tmp_path), Unavailable)
        assert opened(server, tmp_path, cluster={"tls-server-name": "kube.example.com"}).list().nodes


def test_insecure_skip_tls_verify_says_nothing(
    server: KubeServer, tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": ""}
    assert opened(server, tmp_path, {"token": "good"}, cluster).list().nodes
    assert capfd.readouterr() == ("", "")
    assert [warning for warning in recwarn if "nsecure" in str(warning.message)] == []


def test_tls_spoken_to_a_server_without_tls(tmp_path: Path) -> None:
    with KubeServer() as server:
        nodes = opened(server, tmp_path, cluster={"server": server.url.replace("http:", "https:")})
        assert "no TLS connection to" in failure(nodes, Unavailable)


def test_the_service_account_of_a_pod(server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("stale")
    (tmp_path / "ca.crt").write_bytes(server.authority.pem)
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", server.url.rpartition(":")[2])
    nodes = KubeNodes.open(kubeconfig=None, context=None)
    assert nodes.cluster().context == "in-cluster"
    assert "log in again" in failure(nodes, Denied)
    (tmp_path / "token").write_text("good")
    assert nodes.list().nodes


class Proxy(BaseHTTPRequestHandler):
    """A forward proxy: tunnels for https, whole requests for http."""

    asked: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_CONNECT(self) -> None:
        self.asked.append((self.command, self.path, self.headers["Proxy-Authorization"]))
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pour, args=(far, self.connection), daemon=True)
            back.start()
            _pour(self.connection, far)
            back.join()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        pass


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@contextmanager
def proxy() -> Iterator[str]:
    Proxy.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_proxy_url_with_a_password_and_without_exceptions(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with proxy() as address:
        cluster = {"proxy-url": f"http://me:p%40ss@{address}"}
        assert opened(server, tmp_path, {"token": "good"}, cluster).list().nodes
    login = "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert Proxy.asked == [("CONNECT", server.url.removeprefix("https://"), login)]


def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy() as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        assert opened(server, tmp_path, {"token": "good"}).list().nodes
        assert Proxy.asked == []


def named(server: KubeServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Return a cluster entry that calls the server by a name instead of a loopback address."""
    real = socket.getaddrinfo

    def resolved(host: str, *arguments: int, **options: int) -> object:
        return real("127.0.0.1" if host == "kube.example.com" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    port = server.url.rpartition(":")[2]
    return {"server": f"https://kube.example.com:{port}", "tls-server-name": "127.0.0.1"}


@pytest.mark.parametrize(("no_proxy", "asked"), [("", 1), ("kube.example.com", 0)])
def test_a_proxy_of_the_environment(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: str, asked: int
) -> None:
    with proxy() as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert opened(server, tmp_path, {"token": "good"}, named(server, monkeypatch)).list().nodes
    assert len(Proxy.asked) == asked


@pytest.mark.parametrize(("disabled", "accepted"), [(False, "gzip"), (True, "identity")])
def test_long_lists_travel_packed(
    server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disabled: bool, accepted: str
) -> None:
    for number in range(20):
        server.put_node(node_object(f"n{number}", bulky=True))
    cluster = named(server, monkeypatch) | {"disable-compression": disabled}
    assert len(opened(server, tmp_path, {"token": "good"}, cluster).list().nodes) == 21
    assert server.requests[-1].headers["accept-encoding"] == accepted


def test_nothing_is_packed_for_loopback(server: KubeServer, tmp_path: Path) -> None:
    opened(server, tmp_path, {"token": "good"}).list()
    assert server.requests[-1].headers["accept-encoding"] == "identity"


def test_a_proxy_that_is_not_there(server: KubeServer, tmp_path: Path) -> None:
    with proxy() as address:
        pass
    nodes = opened(server, tmp_path, {"token": "good"}, {"proxy-url": f"http://{address}"})
    assert "the proxy on the way to" in failure(nodes, Unavailable)


def test_private_keys_and_tokens_are_in_no_repr(server: KubeServer, tmp_path: Path) -> None:
    connection = kube_connection.connect(
        kubeconfig.read_access(str(server.kubeconfig(tmp_path / "config")), None), UserEntry(token="good"), None
    )
    assert "good" not in repr(connection)
    assert os.environ.get("KUBERNETES_EXEC_INFO") is None
