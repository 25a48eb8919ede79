"""Holds the commands and options of the command line."""

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
Server-to-Server OAuth app. ZOOM_API_URL and ZOOM_OAUTH_URL replace Zoom's URLs. The program also
reads HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and REQUESTS_CA_BUNDLE.

exit status:
  0    all users are done; with check, no step failed
  1    some users failed, or some rows name no user, or the standard output can't be written
       (the run goes on without it)
  2    a usage error: nothing was sent
  3    the run stopped early: no token, a rejected token, a missing scope, the daily limit,
       too many failures, or a report that can't be written
  130  Ctrl-C or a "no" stopped the run
  143  SIGTERM stopped the run
"""
_RUN_EPILOG = f"""\
Files: CSV with a header, as Excel, Entra, Google, Okta or Zoom write it, or a list with one user on
each line and # comments. If the program would have to guess what a file means, it refuses the file
before it sends anything.

The program adds a line to the report when a user has ended. So you can resume a run that was stopped
or killed: use the same command with --resume. A user who was sent before the line was written is sent
again, which changes nothing at Zoom. A user who is sent again has two lines until the end of the run:
the last one counts.

A run stops by itself when its first {FIRST} users all failed for the same reason, or when {FIRST} users in
a row could not reach Zoom.

"""


VERIFY = 10.0
"""The seconds for which --verify without a value verifies an update."""
_BARE = {"--retry-failed": "--retry-failed=", "--verify": f"--verify={VERIFY:g}"}


def parse(words: List[str]) -> argparse.Namespace:
    """Returns the options. argparse ends the program when one is wrong."""
    parser = _parser()
    # argparse doesn't add users after an option, or after --, to the users before it.
    end = words.index("--") if "--" in words else len(words)
    # argparse would take a user after such an option as its value.
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
                parser.error(f"--csv: there is no file {name}; write users before --csv, or after --")
        if options.column is not None and not options.header:
            parser.error("--column can't be used with --no-header: a file without a header has no column names")
        if options.command != "status" and options.preflight and (options.dry_run or options.verify):
            parser.error("--preflight can't be used with --verify or --dry-run: it reads users and sends no update")
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
            help=f"{name} users: {does}",
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
        help="read users: show who is active, inactive or pending, with role and last login",
        description="Read users and show who is active, inactive or pending, with role and last login. This needs the scope "
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
        help="test each step that an update needs: proxy, connection, TLS, token, scopes; touch no user",
        epilog=_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    check.set_defaults(quiet=False)
    return parser


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--env-file", type=_file, metavar="FILE", help="a file with KEY=VALUE lines; its credentials replace the environment's"
    )
    common.add_argument("--json", action="store_true", help="print JSON: a line for each user, then a summary")
    network = common.add_argument_group("the network")
    network.add_argument("--timeout", type=_seconds, metavar="S", help="seconds for one user, retries included (default 60)")
    network.add_argument("--retries", type=_whole, metavar="N", help="how many times a request is retried (default 3)")
    network.add_argument("--proxy", metavar="URL", help="use this proxy instead of HTTPS_PROXY; '' means no proxy")
    network.add_argument("--ca-file", type=_file, metavar="FILE", help="trust only the CA certificates in this file (PEM)")
    network.add_argument("--debug", action="store_true", help="show each request on the standard error; no line holds a secret")
    network.add_argument("--log-file", type=_file, metavar="FILE", help="add the lines of --debug to a file")
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
        help="CSV files or lists ('-' is the standard input); you can use --csv several times",
    )
    files.add_argument("--column", type=_column, metavar="NAME", help="the column that names the user (default: the program finds it)")
    files.add_argument("--no-header", dest="header", action="store_false", help="the files are lists of users without a header")
    files.add_argument(
        "--encoding", type=_encoding, metavar="NAME", help="the encoding of the files (default: UTF-8 or UTF-16, else cp1252)"
    )
    files.add_argument("--max-users", type=_whole, metavar="N", help="send nothing if there are more users than N; for scheduled runs")
    sub.add_argument("--dry-run", action="store_true", help="print the users who would be sent and every notice, and send nothing")


def _add_run(sub: argparse.ArgumentParser) -> None:
    run = sub.add_argument_group("the run")
    run.add_argument(
        "--rate",
        type=_number,
        metavar="N",
        help="requests a second (default 30; 0 means no limit). Zoom allows 4 (Free), 30 (Pro), 80 (Business)",
    )
    run.add_argument("--concurrency", type=_whole, metavar="N", help="users in flight (default 16)")
    run.add_argument(
        "--max-failures",
        type=_positive,
        metavar="N",
        help=f"stop when N users have failed, instead of when the first {FIRST} users failed for the same reason",
    )


def _add_update(sub: argparse.ArgumentParser, name: str) -> None:
    update = sub.add_argument_group("the update")
    update.add_argument(
        "--preflight",
        action="store_true",
        help=f"send no update: read every user, and say who would be {name}d, who is {name}d already, and who can't be",
    )
    update.add_argument(
        "--verify",
        type=_verify,
        metavar="SECONDS",
        nargs="?",
        help=f"after each update, read the user until the status is the wanted one, for up to SECONDS (default {VERIFY:g}); "
        "costs at least one more request for each user",
    )
    update.add_argument("--ignore-missing", action="store_true", help="count users who don't exist (Zoom code 1001) as done")
    update.add_argument("--yes", action="store_true", help="don't ask before more than 10 deactivations")


def _add_report(sub: argparse.ArgumentParser) -> None:
    report = sub.add_argument_group("report and resume")
    report.add_argument("--report", type=_file, metavar="FILE", help="add a CSV line to this file when a user has ended")
    report.add_argument(
        "--resume",
        action="store_true",
        help="don't send users again who are done in the report; send users again who failed for a transient reason",
    )
    report.add_argument(
        "--retry-failed",
        type=_codes,
        metavar="CODE,...",
        nargs="?",
        help="like --resume, and also send users again who failed with these codes, such as USER_NOT_FOUND; without a CODE, all failed users",
    )


def _add_output(sub: argparse.ArgumentParser) -> None:
    how = sub.add_mutually_exclusive_group()
    how.add_argument("-v", "--verbose", action="store_true", help="print every user, not only failures")
    how.add_argument("-q", "--quiet", action="store_true", help="print only failures and errors")


def _file(text: str) -> str:
    # A script may pass a variable that is not set. That must not count as no option.
    if not text:
        raise argparse.ArgumentTypeError("the file name is empty")
    return text


def _column(text: str) -> str:
    if "@" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is a user, but --column takes the name of a column")
    if not text.strip():
        raise argparse.ArgumentTypeError("the column name is empty")
    return text


def _encoding(text: str) -> str:
    try:
        "".encode(text)
        return codecs.lookup(text).name
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not an encoding; try cp1252, utf-8 or utf-16") from None


def _codes(text: str) -> Set[Code]:
    """Returns the codes for a list of names, with or without the prefix ZUS_ERR_."""
    found = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        name = word.upper()
        name = name[len("ZUS_ERR_") :] if name.startswith("ZUS_ERR_") else name
        if name not in Code.__members__ or name == "OK":
            raise argparse.ArgumentTypeError(f"{word!r} is not a code; the column code of the report shows the codes")
        found.add(Code[name])
    return found


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 80 for 80 requests a second") from None
    if not 0 <= value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range: use a number from 0 to 999999")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is out of range: use more than 0 and up to 86400 seconds")
    return value


def _verify(text: str) -> float:
    try:
        return _seconds(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; write users before --verify, or after --") from None


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is out of range: use 1 or more")
    return value
