"""Who an access token is of: its claims, read for people to see and for nothing else, since nobody checks them here.

What issues tokens promises no form of them; one that cannot be read tells nothing. May import msgspec only.
"""

import base64

import msgspec


class _Claims(msgspec.Struct):
    """The claims that name somebody; ``azp`` is ``appid`` in tokens of version 2."""

    upn: str | None = None
    unique_name: str | None = None
    preferred_username: str | None = None
    appid: str | None = None
    azp: str | None = None
    oid: str | None = None
    tid: str | None = None


def identity_of(token: str) -> str | None:
    """Return the user, or the application with its object, and the tenant; None for a token that tells nobody.

    The text is other people's and not fit for a terminal.
    """
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
    except (IndexError, ValueError, msgspec.DecodeError):
        return None
    tenant = f"tenant {claims.tid}" if claims.tid else ""
    user = claims.upn or claims.unique_name or claims.preferred_username
    application = claims.appid or claims.azp
    if user:
        return _line(user, tenant)
    if application:
        return _line(f"application {application}", f"object {claims.oid}" if claims.oid else "", tenant)
    return _line(f"object {claims.oid}", tenant) if claims.oid else None


def _line(who: str, *details: str) -> str:
    told = ", ".join(detail for detail in details if detail)
    return f"{who} ({told})" if told else who
