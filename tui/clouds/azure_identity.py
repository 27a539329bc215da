"""Whom an access token of Azure names: read for people, and never to decide anything.

The token is opaque by contract and may stop being readable; then nobody is named. May import msgspec only.
"""

import base64
import binascii

import msgspec


class _Claims(msgspec.Struct):
    """The claims of Microsoft Entra's tokens that say who somebody is, in versions 1.0 and 2.0."""

    upn: str = ""
    unique_name: str = ""
    preferred_username: str = ""
    appid: str = ""
    azp: str = ""
    oid: str = ""
    tid: str = ""


def bearer(token: str) -> str | None:
    """Return the person, or the application, with the tenant; None when the token does not say."""
    claims = _claims(token)
    if claims is None:
        return None
    person = claims.upn or claims.preferred_username or claims.unique_name
    tenant = f"tenant {claims.tid}" if claims.tid else ""
    if person:
        return f"{person} ({tenant})" if tenant else person
    application = claims.appid or claims.azp
    if not application:
        return None
    details = ", ".join(filter(None, (f"object {claims.oid}" if claims.oid else "", tenant)))
    return f"application {application} ({details})" if details else f"application {application}"


def _claims(token: str) -> _Claims | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return None
