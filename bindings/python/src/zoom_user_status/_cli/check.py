"""Runs ``check``: it tests each step that an update needs and says which step fails. It touches no user."""

from __future__ import annotations

import argparse
import json
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

from .._client import Client
from .._errors import UsageError, ZoomUserStatusError
from .._result import Credentials
from .environment import Environment, read_environment
from .hints import hint
from .probe import Step, Probe, hosts
from .run import as_json
from .settings import make_client
from .summary import DONE, FAILED
from .terminal import GREEN, RED, YELLOW, Console, clean

UPDATE_SCOPES = ("user:update:status:admin", "user:update:status", "user:write:admin", "user:write")
READ_SCOPES = ("user:read:user:admin", "user:read:user", "user:read:admin", "user:read", "user:write:admin", "user:write")
_MARKS = {True: ("ok", GREEN), False: ("FAILED", RED), None: ("note", YELLOW)}


def check(options: argparse.Namespace, console: Console) -> int:
    env = read_environment(options.env_file, console)
    with make_client(env, options) as client:  # before the steps: a wrong setting is a usage error
        show = _Show(options.json, console)
        for url in hosts(env):
            probe = Probe(url, env, options.proxy, options.ca_file)
            show.heading(probe.host)
            for step in probe.steps():
                show.step(step, probe.host)
        show.heading("credentials")
        facts = _credentials(client, env, show)
    if options.json:
        console.say(json.dumps({"ok": show.ok, "steps": show.steps, **facts}))
    elif not show.ok:
        console.error("an update can't work: see the lines with FAILED above")
    else:
        console.say("An update can work." if facts["credentials"] != "token" else "An update can work if Zoom accepts the token.")
    return DONE if show.ok else FAILED


class _Show:
    def __init__(self, as_json: bool, console: Console) -> None:
        self.ok = True
        self.steps: List[Dict[str, Any]] = []
        self._as_json = as_json
        self._console = console

    def heading(self, text: str) -> None:
        if not self._as_json:
            self._console.say(text)

    def step(self, step: Step, host: str = "") -> None:
        self.ok = self.ok and step.ok is not False
        self.steps.append({"host": host, "step": step.name, "ok": step.ok, "text": step.text, "advice": step.advice})
        if not self._as_json:
            word, colour = _MARKS[step.ok]
            mark = self._console.paint(f"{word:<6}", colour)
            self._console.say(f"  {mark}  {step.name:<10}  {clean(step.text)}")
            if step.advice:
                self._console.say(f"          {'':<10}  {step.advice}")


def _credentials(client: Client, env: Environment, show: _Show) -> Dict[str, Any]:
    try:
        found = client.check_credentials()
    except UsageError:
        raise
    except ZoomUserStatusError as error:
        show.step(Step("token", False, str(error), hint(error.result.code)))
        return {"credentials": "oauth", "account_id": env.account, "scopes": [], "expires_in": None, "api_url": "", **as_json(error.result)}
    if found.kind == "oauth":
        _oauth(found, env, show)
    else:
        show.step(Step("token", None, f"a static token, from {env.source('ZOOM_ACCESS_TOKEN')}"))
        text = "the account and the scopes of a static token can't be read, nor whether Zoom accepts it, without touching a user"
        show.step(Step("account", None, text, "use the credentials of a Server-to-Server OAuth app: they can be checked"))
    return {
        "credentials": found.kind,
        "account_id": env.account,
        "scopes": found.scopes,
        "expires_in": found.expires_in,
        "api_url": found.api_url,
    }


def _oauth(found: Credentials, env: Environment, show: _Show) -> None:
    until = f", expires in {found.expires_in} s and is refreshed automatically" if found.expires_in is not None else ""
    show.step(Step("token", True, f"obtained from {urlsplit(env.oauth_url).hostname}{until}"))
    show.step(Step("account", True, env.account))
    show.step(_scope("update", found.scopes, UPDATE_SCOPES, needed=True))
    show.step(_scope("read", found.scopes, READ_SCOPES, needed=False))
    if found.api_url and urlsplit(found.api_url).hostname != urlsplit(env.api_url).hostname:
        advice = "the URL that is set works, too; ZOOM_API_URL sets another URL"
        show.step(Step("API", None, f"Zoom recommends {found.api_url} for this account", advice))


def _scope(name: str, granted: Tuple[str, ...], wanted: Tuple[str, ...], needed: bool) -> Step:
    have: Optional[str] = next((scope for scope in wanted if scope in granted), None)
    if have is not None:
        return Step(name, True, f"the scope {have} is granted")
    advice = f"add the scope {wanted[0]} to the app, then get a new token"
    if needed:
        text = f"none of the scopes that updates need is granted: {', '.join(wanted)}"
        return Step(name, False, text, advice)
    return Step(name, None, "no scope for reading users is granted; updates without --verify don't need one", advice)
