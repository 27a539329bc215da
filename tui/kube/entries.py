"""A kubeconfig file as structs: the fields that this program or the ``kubernetes`` package needs, unknown ones ignored.

May import msgspec only.
"""

import msgspec


class Extension(msgspec.Struct, frozen=True):
    """A named extra of a cluster entry; the one for exec plugins is passed on to them."""

    name: str = ""
    extension: object = None


class ClusterEntry(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """A cluster of a kubeconfig; paths are absolute, values that are not set are None."""

    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    proxy_url: str | None = None
    disable_compression: bool | None = None
    extensions: list[Extension] | None = None


class ExecVariable(msgspec.Struct, frozen=True):
    """One environment variable for an exec plugin."""

    name: str
    value: str


class ExecEntry(msgspec.Struct, frozen=True, rename="camel"):
    """A program that prints credentials; a ``command`` with a slash is absolute."""

    command: str
    api_version: str = ""
    args: list[str] | None = None
    env: list[ExecVariable] | None = None
    install_hint: str | None = None
    interactive_mode: str | None = None
    provide_cluster_info: bool | None = None

    @property
    def may_ask(self) -> bool:
        """Tell whether it may want the terminal; kubeconfigs of older versions do not say, and mean that it may."""
        return self.interactive_mode != "Never"


class AuthProvider(msgspec.Struct, frozen=True):
    """The forerunner of exec plugins; of its kinds kubectl still knows ``oidc``."""

    name: str
    config: dict[str, str] | None = None


class UserEntry(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """A user of a kubeconfig; paths are absolute, values that are not set are None."""

    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    username: str | None = None
    password: str | None = None
    impersonate: str | None = msgspec.field(default=None, name="as")
    impersonate_uid: str | None = msgspec.field(default=None, name="as-uid")
    impersonate_groups: list[str] | None = msgspec.field(default=None, name="as-groups")
    impersonate_extra: dict[str, list[str]] | None = msgspec.field(default=None, name="as-user-extra")
    auth_provider: AuthProvider | None = None
    exec: ExecEntry | None = None

    @property
    def kind(self) -> str:
        """Which credentials these are, without any of them."""
        kinds = {
            f"exec plugin {self.exec.command if self.exec else ''}": self.exec,
            f"auth provider {self.auth_provider.name if self.auth_provider else ''}": self.auth_provider,
            "client certificate": self.client_certificate or self.client_certificate_data,
            "token file": self.token_file,
            "token": self.token,
            "name and password": self.username,
        }
        return ", ".join(kind for kind, given in kinds.items() if given) or "none"


class ContextEntry(msgspec.Struct, frozen=True):
    """Which cluster and which user belong together, by name."""

    cluster: str | None = None
    user: str | None = None


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: ClusterEntry | None = None


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: UserEntry | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: ContextEntry | None = None


class Document(msgspec.Struct, frozen=True, rename="kebab"):
    """One kubeconfig file."""

    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
