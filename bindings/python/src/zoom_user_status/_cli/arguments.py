"""What can be said on the command line."""

from __future__ import annotations

import argparse
import codecs
import os
from typing import List, Set

from .. import __version__
from .._codes import Code
from .jobs import DESCRIPTION
from .rules import FIRST
from .terminal import PROGRAM

_DESCRIPTION = "Activate, deactivate or read Zoom users, one or thousands."
_EPILOG = """\
Credentials come from the environment or --env-file, never from the command line:
ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET of a
Server-to-Server OAuth app. ZOOM_API_URL and ZOOM_OAUTH_URL override Zoom's addresses.
HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and REQUESTS_CA_BUNDLE are heard.

exit status: 0 all done, 1 some failed or some rows name no user (or the standard output can't be
written; the run goes on without it), 2 misuse, and nothing was sent, 3 stopped early (no token,
refused token, missing scope, daily limit, too many failures, report not writable), 130 cancelled
(Ctrl-C, or a "no"), 143 terminated (SIGTERM).
"""
_RUN_EPILOG = f"""\
Files: CSV with a header, as Excel, Entra, Google, Okta or Zoom write it, or a list with a user a line
and # comments. A file that can't be read without guessing is refused before anything is sent.

The report gets a line as each user ends, so a run that was stopped or even killed can be resumed
with the same command and --resume. A user who was sent but whose line was not yet written is sent
again, which changes nothing at Zoom. Until a run's end a user who is tried again has an older line
too: the last one counts.

A run stops by itself when its first {FIRST} users all failed for the same reason, or {FIRST} in a row
could not reach Zoom.

"""


VERIFY = 10.0
"""Seconds for which an update is verified when the command line says no other time."""
_BARE = {"--retry-failed": "--retry-failed=", "--verify": f"--verify={VERIFY:g}"}


def parse(words: List[str]) -> argparse.Namespace:
    """The options; argparse itself ends the program on a wrong one."""
    parser = _parser()
    # argparse joins users after an option, or after --, not to those before it.
    end = words.index("--") if "--" in words else len(words)
    # Its optional value would swallow a user behind it.
    before = [_BARE.get(word, word) for word in words[:end]]
    options, more = parser.parse_known_args(before)
    unknown = [word for word in more if word.startswith("-")]
    more += words[end + 1 :]
    if unknown or (more and options.command == "check"):
        parser.error(f"unrecognized arguments: {' '.join(unknown or more)}")
    if more:
        options.users += more
    if options.command != "check":
        for name in options.csv or ():
            if "@" in name and not os.path.exists(name):
                parser.error(f"--csv: there is no file {name}; put users before --csv, or behind --")
        if options.column is not None and not options.header:
            parser.error("--column names a column of the header, and --no-header says that there is none")
        if options.command != "status" and options.preflight and (options.dry_run or options.verify):
            parser.error("--preflight sends no update: there is nothing to verify, and --dry-run would not even read")
    return options


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=raw, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="activate|deactivate|status|check")
    common = _common()
    for action, does in DESCRIPTION.items():
        name = str(action)
        sub = commands.add_parser(
            name,
            parents=[common],
            help=f"users: {does}",
            description=f"{name.capitalize()} users: {does}.",
            epilog=_RUN_EPILOG + _EPILOG,
            formatter_class=raw,
            allow_abbrev=False,
        )
        _add_users(sub)
        _add_run(sub)
        _add_update(sub, name)
        _add_report(sub)
        _add_output(sub)
    status = commands.add_parser(
        "status",
        parents=[common],
        help="users: show who is active, inactive or pending, with role and last login",
        description="Read users and show who is active, inactive or pending, with role and last login. Needs the scope "
        "user:read:user:admin.",
        epilog=_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    _add_users(status)
    _add_run(status)
    _add_report(status)
    _add_output(status)
    status.set_defaults(ignore_missing=False)
    check = commands.add_parser(
        "check",
        parents=[common],
        help="walk the way to Zoom and say where it ends: proxy, connection, TLS, token, scopes; touch nobody",
        epilog=_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    check.set_defaults(quiet=False)
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--env-file", type=_file, metavar="FILE", help="KEY=VALUE lines; its credentials replace the environment's"
    )
    common.add_argument("--json", action="store_true", help="JSON on the standard output: a line a user, then a summary")
    network = common.add_argument_group("the way to Zoom")
    network.add_argument("--timeout", type=_seconds, metavar="S", help="seconds for one user, with retries (default 60)")
    network.add_argument("--retries", type=_whole, metavar="N", help="how often a request is sent again (default 3)")
    network.add_argument("--proxy", metavar="URL", help="instead of HTTPS_PROXY; '' for none")
    network.add_argument("--ca-file", type=_file, metavar="FILE", help="trust only its CA certificates (PEM)")
    network.add_argument("--debug", action="store_true", help="each request on the standard error; no line holds a secret")
    network.add_argument("--log-file", type=_file, metavar="FILE", help="the same lines, added to a file")
    return common


def _add_users(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("users", nargs="*", metavar="USER", help="e-mail address or Zoom's ID")
    files = sub.add_argument_group("users from files")
    files.add_argument(
        "--csv",
        action="extend",
        nargs="+",
        type=_file,
        metavar="FILE",
        help="CSV files or lists ('-': standard input); may be given again",
    )
    files.add_argument("--column", type=_column, metavar="NAME", help="the column that names the user (default: found by itself)")
    files.add_argument("--no-header", dest="header", action="store_false", help="the files are lists of users without a header")
    files.add_argument("--encoding", type=_encoding, metavar="NAME", help="of the files (default: UTF-8 or UTF-16, else cp1252)")
    files.add_argument("--max-users", type=_whole, metavar="N", help="refuse a longer list, for scheduled runs")
    sub.add_argument("--dry-run", action="store_true", help="print who would be sent, with every notice, and send nothing")


def _add_run(sub: argparse.ArgumentParser) -> None:
    run = sub.add_argument_group("the run")
    run.add_argument(
        "--rate",
        type=_number,
        metavar="N",
        help="requests a second (default 30; 0: no limit). Zoom allows 4 (Free), 30 (Pro), 80 (Business)",
    )
    run.add_argument("--concurrency", type=_whole, metavar="N", help="users in flight (default 16)")
    run.add_argument(
        "--max-failures",
        type=_positive,
        metavar="N",
        help=f"stop when N users have failed (instead of when the first {FIRST} failed for the same reason)",
    )


def _add_update(sub: argparse.ArgumentParser, name: str) -> None:
    update = sub.add_argument_group("the update")
    update.add_argument(
        "--preflight",
        action="store_true",
        help=f"send no update: read every user, and say who would be {name}d, who is already, and who can't be",
    )
    update.add_argument(
        "--verify",
        type=_verify,
        metavar="SECONDS",
        nargs="?",
        help=f"read each user afterwards until the status is the wanted one, for up to so long (default {VERIFY:g}); "
        "at least one request more for each",
    )
    update.add_argument("--ignore-missing", action="store_true", help="count users who don't exist (Zoom code 1001) as done")
    update.add_argument("--yes", action="store_true", help="don't ask before more than 10 deactivations")


def _add_report(sub: argparse.ArgumentParser) -> None:
    report = sub.add_argument_group("report and resume")
    report.add_argument("--report", type=_file, metavar="FILE", help="write a CSV line as each user ends")
    report.add_argument(
        "--resume",
        action="store_true",
        help="skip who is done by the report; send those again who failed for a transient reason",
    )
    report.add_argument(
        "--retry-failed",
        type=_codes,
        metavar="CODE,...",
        nargs="?",
        help="--resume, and send again who failed for these reasons, such as USER_NOT_FOUND; without a CODE for any",
    )


def _add_output(sub: argparse.ArgumentParser) -> None:
    how = sub.add_mutually_exclusive_group()
    how.add_argument("-v", "--verbose", action="store_true", help="print every user, not only failures")
    how.add_argument("-q", "--quiet", action="store_true", help="print only what went wrong")


def _file(text: str) -> str:
    # An unset variable of a script's mustn't pass for no option.
    if not text:
        raise argparse.ArgumentTypeError("the file's name is empty")
    return text


def _column(text: str) -> str:
    if "@" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is a user, and --column takes the name of a column")
    if not text.strip():
        raise argparse.ArgumentTypeError("the column's name is empty")
    return text


def _encoding(text: str) -> str:
    try:
        "".encode(text)
        return codecs.lookup(text).name
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is no encoding; try cp1252, utf-8 or utf-16") from None


def _codes(text: str) -> Set[Code]:
    """Codes by name, with or without what is before them in C."""
    found = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        name = word.upper()
        name = name[len("ZUS_ERR_") :] if name.startswith("ZUS_ERR_") else name
        if name not in Code.__members__ or name == "OK":
            raise argparse.ArgumentTypeError(f"{word!r} is no code; the report's column code has them")
        found.add(Code[name])
    return found


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 80 for 80 requests a second") from None
    if not 0 <= value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is out of range: up to 86400 seconds")
    return value


def _verify(text: str) -> float:
    try:
        return _seconds(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; a user goes before --verify, or behind --") from None


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError("it is 1 or more")
    return value
