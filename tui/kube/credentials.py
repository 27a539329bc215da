"""The credentials of a context as they are now: token files and exec plugins are asked, as kubectl asks them.

The ``kubernetes`` package would hand an exec plugin the terminal, whoever has it, log its failure there, and go on
without credentials; so plugins are run here, and their answer is given to the package. May import the ports' errors and
the model.
"""

import base64
import os
import re
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from tui.kube.entries import AuthProvider, ExecEntry, UserEntry
from tui.kube.kubeconfig import Access
from tui.model.text import printable
from tui.ports import Denied

_PLUGIN_TIMEOUT_S = 60.0
_LOGIN_TIMEOUT_S = 900.0
"""How long a person may take, who can also end it with ctrl+c."""
_LOGIN = ":login in the console lets it ask you, and so does a verb on a terminal"


def current_user(access: Access, *, asks: bool) -> tuple[UserEntry, datetime | None]:
    """Return the user with what its token file, provider or plugin says now, and when that expires.

    With ``asks`` the terminal is free, and a plugin may ask there. As in kubectl, plain http is spoken without
    credentials. Raises ``Denied``.
    """
    user, expires_at = access.user, None
    if not access.server.startswith("https://"):
        return UserEntry(), None
    if user.token_file:
        try:
            user = msgspec.structs.replace(user, token=Path(user.token_file).read_text().strip(), token_file=None)
        except (OSError, ValueError) as error:
            raise Denied(
                f"the token file {printable(user.token_file or '')} of {access.origin} cannot be read"
            ) from error
    elif user.auth_provider and not user.token:
        user = msgspec.structs.replace(user, token=_provider_token(user.auth_provider, access))
    elif user.exec and not user.token:
        status = _ask_plugin(user.exec, access, asks=asks)
        expires_at = status.expiration_timestamp
        user = msgspec.structs.replace(
            user,
            token=status.token,
            client_certificate_data=_encoded(status.client_certificate_data) or user.client_certificate_data,
            client_key_data=_encoded(status.client_key_data) or user.client_key_data,
        )
    if user.token and not re.fullmatch(r"[!-~]+", user.token):
        raise Denied(f"the token in {access.origin} holds characters that no token has: log in again, as for kubectl")
    return msgspec.structs.replace(user, exec=None, auth_provider=None), expires_at


class _PluginStatus(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _PluginAnswer(msgspec.Struct, rename="camel"):
    api_version: str
    status: _PluginStatus


def _ask_plugin(plugin: ExecEntry, access: Access, *, asks: bool) -> _PluginStatus:
    """Run an exec plugin, away from the terminal unless it may ask there; return what it prints. Raises ``Denied``."""
    told = f"the exec plugin {printable(plugin.command)} of {access.origin}"
    asks = asks and plugin.may_ask
    if plugin.interactive_mode == "Always" and not asks:
        raise Denied(f"{told} logs in on the terminal only: {_LOGIN}")
    try:
        code, output, errors = _run(plugin, access, asks=asks)
    except FileNotFoundError as error:
        hint = printable((plugin.install_hint or "").strip().partition("\n")[0])
        raise Denied(f"{told} is not installed: {hint or 'install it, or correct its command'}") from error
    except subprocess.TimeoutExpired as error:
        raise Denied(f"{told} gave no answer in time: log in first, as for kubectl") from error
    except (OSError, ValueError) as error:
        raise Denied(f"{told} cannot be run ({printable(str(error))}): correct it") from error
    if code != 0:
        said = next(
            (line for line in errors.decode(errors="replace").splitlines() if line.strip()), f"exit code {code}"
        )
        hint = f" ({_LOGIN})" if plugin.may_ask and not asks else ""
        raise Denied(f"{told} fails: {printable(said.strip())}{hint}")
    try:
        answer = msgspec.json.decode(output, type=_PluginAnswer)
    except msgspec.DecodeError as error:
        raise Denied(f"{told} does not print credentials ({error}): update it") from error
    if answer.api_version != plugin.api_version:
        versions = f"{printable(answer.api_version)}, not {printable(plugin.api_version)}"
        raise Denied(f"{told} answers in apiVersion {versions}: correct one of them")
    if not (answer.status.token or (answer.status.client_certificate_data and answer.status.client_key_data)):
        raise Denied(f"{told} prints neither a token nor a certificate with its key: update it")
    return answer.status


def _run(plugin: ExecEntry, access: Access, *, asks: bool) -> tuple[int, bytes, bytes]:
    """Return exit code, output and errors; what a plugin says while it ``asks`` is read by the person there.

    In a session of its own, a plugin cannot reach the terminal in any other way.
    """
    spec: dict[str, object] = {"interactive": asks}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(access)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = os.environ | {variable.name: variable.value for variable in plugin.env or ()}
    environment["KUBERNETES_EXEC_INFO"] = msgspec.json.encode(info).decode()
    with subprocess.Popen(  # noqa: S603 - the operator's kubeconfig names the program, as it does for kubectl
        [plugin.command, *(plugin.args or ())],
        env=environment,
        stdin=None if asks else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if asks else subprocess.PIPE,
        start_new_session=not asks,
    ) as process:
        try:
            output, errors = process.communicate(timeout=_LOGIN_TIMEOUT_S if asks else _PLUGIN_TIMEOUT_S)
        except BaseException:
            process.kill() if asks else os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, output, errors or b""


def _cluster_info(access: Access) -> dict[str, object]:
    cluster = access.cluster
    authority = cluster.certificate_authority_data
    if authority is None and cluster.certificate_authority:
        authority = base64.b64encode(Path(cluster.certificate_authority).read_bytes()).decode()
    extensions = cluster.extensions or ()
    config = next((item.extension for item in extensions if item.name == "client.authentication.k8s.io/exec"), None)
    info = {
        "server": access.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": authority,
        "proxy-url": cluster.proxy_url,
        "config": config,
    }
    return {name: value for name, value in info.items() if value is not None}


def _encoded(pem: str | None) -> str | None:
    return base64.b64encode(pem.encode()).decode() if pem else None


def _provider_token(provider: AuthProvider, access: Access) -> str:
    """Return the token that kubectl keeps and renews in the kubeconfig; renewing it here would void kubectl's."""
    token = (provider.config or {}).get("id-token")
    if provider.name != "oidc" or not token:
        raise Denied(
            f"the auth-provider {printable(provider.name)} of {access.origin} cannot be used: use an exec plugin"
        )
    return token
