"""Who Google's credentials are of, as far as google-auth knows; no two kinds of credentials say it in the same way.

No API is asked: what is known stands in the credentials file or comes with a token. May import google-auth only.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_NAMES = ("service_account_email", "account")
"""Where service accounts, also impersonated ones, and users have their names."""
_UNTOLD = frozenset({"", "default"})
"""``default`` is what a metadata server's service account is called until it has given a token."""
_POOL = re.compile(r"//(iam\.[^/]+/(?:projects/[^/]+/)?locations/[^/]+/(?:workforce|workloadIdentity)Pools/[^/]+)/.+")


def principal(credentials: "Credentials", request: Callable[..., Any]) -> str | None:
    """Return who these credentials are of: an email, else the principal set of their pool; None when nothing tells.

    They are renewed, through google-auth's ``request``, if nothing has told it yet and they hold no token, since it may
    come with one. Raises google-auth's own errors.
    """
    told = _told(credentials)
    if told is None and not credentials.valid:
        credentials.refresh(request)  # type: ignore[no-untyped-call] # partly typed
        told = _told(credentials)
    return told


def _told(credentials: "Credentials") -> str | None:
    for name in _NAMES:
        email = getattr(credentials, name, None)
        if isinstance(email, str) and email not in _UNTOLD:
            return email
    return _email_of_user(credentials) or _pool(credentials)


def _email_of_user(credentials: "Credentials") -> str | None:
    """Return the email in the identity token that a user's access token came with; gcloud's login asks for one."""
    from google.auth import jwt  # noqa: PLC0415

    token = getattr(credentials, "id_token", None)
    if not isinstance(token, str):
        return None
    try:
        claims = jwt.decode(token, verify=False)  # type: ignore[no-untyped-call] # partly typed
    except ValueError:
        return None
    email = claims.get("email") if isinstance(claims, Mapping) else None
    return email if isinstance(email, str) and email else None


def _pool(credentials: "Credentials") -> str | None:
    """Return all identities of the pool that federated credentials are from: which one, only Google's answers tell."""
    info = getattr(credentials, "info", None)
    audience = info.get("audience") if isinstance(info, Mapping) else None
    found = _POOL.fullmatch(audience) if isinstance(audience, str) else None
    return f"principalSet://{found.group(1)}/*" if found else None
