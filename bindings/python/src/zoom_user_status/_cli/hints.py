"""Says in a few words what to do about a failure."""

from __future__ import annotations

from .._codes import Code

_HINTS = {
    Code.ARGUMENT: "the user ID can't be sent as it is: correct it",
    Code.RESOLVE: "check the URL, and whether you need a proxy (HTTPS_PROXY)",
    Code.CONNECT: "check the firewall, and whether you need a proxy (HTTPS_PROXY)",
    Code.TLS: "if your company inspects TLS, name its CA certificate with --ca-file, SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
    Code.TIMEOUT: "the update may have been applied: --resume sends it again; --timeout gives it more time",
    Code.PROXY: "check the proxy's URL, user name and password",
    Code.IO: "the update may have been applied: --resume sends it again",
    Code.PROTOCOL: "check the URL, and whether a gateway responds in Zoom's place",
    Code.TOKEN: "check the app's account ID, client ID and secret, and that it is activated",
    Code.UNAUTHORIZED: "the access token is expired or wrong",
    Code.FORBIDDEN: "add the scope that the message names to the app",
    Code.USER_NOT_FOUND: "not on this account: check the address, or use --ignore-missing",
    Code.USER_PROTECTED: "an admin or a Zoom Room: take the admin role away first",
    Code.USER_BUSY: "the user has an upcoming Zoom event: hand it over, then use --resume",
    Code.USER_LIMIT: "the account's user limit is reached: remove a user, then use --resume",
    Code.RATE_LIMITED: "other apps use the same limit: lower --rate, then use --resume",
    Code.DAILY_LIMIT: "continue tomorrow with --resume",
    Code.REJECTED: "read the message of each user",
    Code.SERVER: "Zoom's server failed: try again later with --resume",
    Code.NOT_VERIFIED: "Zoom accepted the update, but the status is not the wanted one: see zoom-user-status status; --resume sends it again",
    Code.ENDPOINT: "check ZOOM_API_URL",
    Code.PANIC: "this program has a bug: please report it",
}


# Where a user was only read.
_READ_HINTS = {
    **_HINTS,
    Code.TIMEOUT: "--timeout gives it more time; --resume reads the user again",
    Code.IO: "--resume reads the user again",
    Code.USER_NOT_FOUND: "not on this account: check the address",
}


def hint(code: Code, updates: bool = True) -> str:
    return (_HINTS if updates else _READ_HINTS).get(code, "")
