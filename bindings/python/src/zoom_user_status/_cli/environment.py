"""Reads credentials and network settings from the environment and from an env file. The file's values replace the environment's."""

from __future__ import annotations

import os
import shlex
from typing import Dict, Mapping, NamedTuple, Optional

from .._options import BASE_URL, OAUTH_URL
from . import dotenv
from .encodings import decode, read_bytes
from .report import Binding
from .terminal import Console, CommandLineError

TOKEN = "ZOOM_ACCESS_TOKEN"
OAUTH = ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
CREDENTIALS = (TOKEN, *OAUTH)
_PROXIES = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CA_FILES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
CA_BUNDLE = "REQUESTS_CA_BUNDLE"


class Environment(NamedTuple):
    """Holds the variables, and which of them the env file set."""

    values: Dict[str, str]
    file: str = ""
    of_file: Mapping[str, str] = {}

    def source(self, name: str) -> str:
        """Says where a variable is set, so that a person can find it."""
        return f"{name} in {self.file}" if name in self.of_file else f"{name} in the environment"

    @property
    def api_url(self) -> str:
        return self.values.get("ZOOM_API_URL") or BASE_URL

    @property
    def oauth_url(self) -> str:
        return self.values.get("ZOOM_OAUTH_URL") or OAUTH_URL

    @property
    def account(self) -> str:
        """The account ID; empty with a static token, which does not show its account."""
        return "" if self.values.get(TOKEN) else self.values.get("ZOOM_ACCOUNT_ID", "")

    @property
    def binding(self) -> Binding:
        return Binding(self.account, self.api_url.rstrip("/"))


def read_environment(file: Optional[str], console: Console) -> Environment:
    """Returns the environment with the values of an env file. It never mixes credentials of the file and of the environment."""
    values = dict(os.environ)
    of_file: Dict[str, str] = {}
    if file is not None:
        of_file = _ours(_read(file, values, console))
        if any(of_file.get(key) for key in CREDENTIALS):
            for key in CREDENTIALS:
                values.pop(key, None)
        for key in of_file:
            if key.upper() in _PROXIES:  # otherwise the library could use the other spelling of the environment
                values.pop(key.lower(), None)
                values.pop(key.upper(), None)
        if any(key in of_file for key in (*CA_FILES, CA_BUNDLE)):
            for key in (*CA_FILES, CA_BUNDLE):
                values.pop(key, None)
        values.update(of_file)
    found = Environment(values, file or "", of_file)
    _hints(found, console)
    return found


def _ours(values: Mapping[str, str]) -> Dict[str, str]:
    """Returns the variables that this program reads. Other programs often use the same file."""
    known = {*CREDENTIALS, "ZOOM_API_URL", "ZOOM_OAUTH_URL", *CA_FILES, CA_BUNDLE}
    return {key: value for key, value in values.items() if key in known or key.upper() in _PROXIES}


def _read(name: str, env: Mapping[str, str], console: Console) -> Dict[str, str]:
    text = decode(name, read_bytes(name), None, console.notice)
    if os.name == "posix" and name != "-" and os.stat(name).st_mode & 0o077:
        console.notice(f"other users of this machine can read {name}: run chmod 600 {shlex.quote(name)}")
    try:
        return dotenv.parse(text, env)
    except dotenv.Unreadable as error:
        raise CommandLineError(f"{name}, line {error.line}: {error.why}") from None


def _hints(env: Environment, console: Console) -> None:
    both = [name for name in OAUTH if env.values.get(name)]
    if env.values.get(TOKEN) and both:
        console.notice(f"{TOKEN} is set and is used; {', '.join(both)} {'is' if len(both) == 1 else 'are'} not used")
    for name in CREDENTIALS:
        value = env.values.get(name, "")
        if value != value.strip():
            console.notice(f"{env.source(name)} has leading or trailing whitespace: check that it is copied correctly")


def apply_to_process(env: Environment) -> None:
    """Sets the variables that the library itself reads: the proxies, and the CA certificates that it trusts."""
    for name in (*_PROXIES, *(name.lower() for name in _PROXIES), *CA_FILES):
        value = env.values.get(name)
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    bundle = env.values.get(CA_BUNDLE)
    if bundle and not any(env.values.get(name) for name in CA_FILES):
        if not os.path.exists(bundle):
            raise CommandLineError(f"{env.source(CA_BUNDLE)} names a file that does not exist: {bundle}")
        os.environ["SSL_CERT_DIR" if os.path.isdir(bundle) else "SSL_CERT_FILE"] = bundle
