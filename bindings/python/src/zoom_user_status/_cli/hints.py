"""What to do about a failure, in a few words."""

from __future__ import annotations

from .._codes import Code

_HINTS = {
    Code.ARGUMENT: "the user ID can't be sent as it is: correct it",
    Code.RESOLVE: "is a proxy needed (HTTPS_PROXY), or the URL wrong?",
    Code.CONNECT: "does a firewall or a proxy stand in between?",
    Code.TLS: "a company's proxy? Name its CA certificate with --ca-file, SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
    Code.TIMEOUT: "it may have been done: --resume sends it again; --timeout gives it longer",
    Code.PROXY: "check the proxy's URL, user name and password",
    Code.IO: "it may have been done: --resume sends it again",
    Code.PROTOCOL: "is the URL wrong, or does a gateway respond instead of Zoom?",
    Code.TOKEN: "check the app's account ID, client ID and secret, and that it is activated",
    Code.UNAUTHORIZED: "the access token is expired or wrong",
    Code.FORBIDDEN: "add the scope that the message names to the app",
    Code.USER_NOT_FOUND: "not on this account: check the address, or --ignore-missing",
    Code.USER_PROTECTED: "an admin or a Zoom Room: take the admin role away first",
    Code.USER_BUSY: "has a Zoom event to come: hand it over, then --resume",
    Code.USER_LIMIT: "the account's user limit is reached: make room, then --resume",
    Code.RATE_LIMITED: "other apps use the same limit: lower --rate, then --resume",
    Code.DAILY_LIMIT: "go on tomorrow with --resume",
    Code.REJECTED: "read the message of each",
    Code.SERVER: "Zoom failed: later, with --resume",
    Code.NOT_VERIFIED: "Zoom accepted it, and it does not show: see zoom-user-status status; --resume sends it again",
    Code.ENDPOINT: "check ZOOM_API_URL",
    Code.PANIC: "a bug in this program: please report it",
}


def hint(code: Code) -> str:
    return _HINTS.get(code, "")
