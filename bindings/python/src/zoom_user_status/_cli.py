"""The command line."""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import shlex
import signal
import sys
import time
from typing import Any, Counter, Dict, Generator, List, Optional, Sequence

from ._batch import Batch
from ._client import CONCURRENCY, RATE, Client
from ._codes import Action, Code
from ._errors import UsageError, ZoomUserStatusError, error_for
from ._report import Report, clean, now
from ._result import Result
from ._users import Misuse, read_csv, tidy

DONE, FAILED, MISUSE, STOPPED, CANCELLED = 0, 1, 2, 3, 130
ASK_ABOVE = 10
SHOW_ALL_UP_TO = 10
SCOPES = {"user:write:admin", "user:write", "user:update:status", "user:update:status:admin"}
_CREDENTIALS = ("ZOOM_ACCESS_TOKEN", "ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET")
_PROG = "zoom-user-status"

_DESCRIPTION = "Activate or deactivate Zoom users, one or thousands."
_EPILOG = """\
Credentials come from the environment or --env-file, never from the command line:
ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET of a
Server-to-Server OAuth app. ZOOM_API_URL and ZOOM_OAUTH_URL override Zoom's addresses.

exit status: 0 all done, 1 some failed (or the standard output can't be written; the run goes on
without it), 2 misuse, 3 stopped early (no token, refused token, missing scope, daily limit, report
not writable), 130 cancelled (Ctrl-C, or a "no").
"""
_RESUME = """\
The report gets a line as each user ends, so a run that was stopped or even killed can be resumed
with the same command and --resume. A user who was sent but whose line was not yet written is sent
again, which changes nothing at Zoom. Until a run's end a user who is tried again has an older line
too: the last one counts.

"""


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command line and gives its exit status."""
    _open_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    # argparse joins users after an option, or after --, not to those before it.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, more = parser.parse_known_args(arguments[:end])
    unknown = [word for word in more if word.startswith("-")]
    more += arguments[end + 1 :]
    if unknown or (more and options.command == "check"):
        parser.error(f"unrecognized arguments: {' '.join(unknown or more)}")
    if more:
        options.users += more
    try:
        status = _check(options) if options.command == "check" else _Run(options, arguments).run()
        _output.flush()
        return FAILED if status == DONE and _output.lost else status
    except KeyboardInterrupt:
        _notice("cancelled; nothing is under way")
        return CANCELLED
    except (Misuse, UsageError) as error:
        _notice(str(error.result.message) if isinstance(error, UsageError) else str(error))
        return MISUSE


def _open_streams() -> None:
    # Without one at the start, the next file or connection would get its number, and what is meant for the stream.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)  # a pipe's reader sees each line at once


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(_PROG, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True, metavar="activate|deactivate|check")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--env-file", type=_file, metavar="FILE", help="KEY=VALUE lines; its credentials replace the environment's")
    common.add_argument("--json", action="store_true", help="JSON on the standard output: a line a user, then a summary")
    for name, does in (("deactivate", "take the licences and block the login"), ("activate", "let them log in again")):
        sub = commands.add_parser(
            name,
            parents=[common],
            help=f"users: {does}",
            description=f"{name.capitalize()} users: {does}.",
            epilog=_RESUME + _EPILOG,
            formatter_class=raw,
        )
        sub.add_argument("users", nargs="*", metavar="USER", help="e-mail address or Zoom's id")
        sub.add_argument(
            "--csv",
            action="append",
            type=_file,
            metavar="FILE",
            help="take users from a CSV file ('-': standard input); may be given again",
        )
        sub.add_argument("--column", default="email", metavar="NAME", help="its column (default: email)")
        sub.add_argument("--dry-run", action="store_true", help="print who would be touched, and send nothing")
        sub.add_argument(
            "--rate",
            type=_number,
            metavar="N",
            help="requests a second (default 30; 0: no limit). Zoom allows 4 (Free), 30 (Pro), 80 (Business)",
        )
        sub.add_argument("--concurrency", type=int, metavar="N", help="users in flight (default 16)")
        sub.add_argument("--report", type=_file, metavar="FILE", help="write a CSV line as each user ends")
        sub.add_argument(
            "--resume",
            action="store_true",
            help="skip who is done by the report; try those again who failed for a passing reason",
        )
        sub.add_argument("--yes", action="store_true", help=f"don't ask before more than {ASK_ABOVE} deactivations")
        sub.add_argument("-v", "--verbose", action="store_true", help="print every user, not only failures")
    commands.add_parser(
        "check",
        parents=[common],
        help="get a token, show account and scopes, touch nobody",
        epilog=_EPILOG,
        formatter_class=raw,
    )
    return parser


def _file(text: str) -> str:
    # An unset variable of a script's mustn't pass for no option.
    if not text:
        raise argparse.ArgumentTypeError("the file's name is empty")
    return text


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 80 for 80 requests a second") from None
    if not 0 <= value < 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range")
    return value


def _check(options: argparse.Namespace) -> int:
    env = _environment(options.env_file)
    with Client.from_env(env) as client:
        try:
            found = client.check_credentials()
        except UsageError:
            raise
        except ZoomUserStatusError as error:
            if options.json:
                _output.say(json.dumps({"ok": False, **_json(error.result, user=False)}))
            else:
                _notice(str(error))
            return FAILED
    account = env.get("ZOOM_ACCOUNT_ID", "") if found.kind == "oauth" else ""
    missing = found.kind == "oauth" and not SCOPES.intersection(found.scopes)
    if options.json:
        facts = {
            "ok": not missing,
            "credentials": found.kind,
            "account_id": account,
            "scopes": found.scopes,
            "expires_in": found.expires_in,
            "api_url": found.api_url,
        }
        _output.say(json.dumps(facts))
    elif found.kind == "token":
        _output.say("A fixed token is set. What it may do can't be learnt without touching a user.")
    else:
        _output.say("Zoom gave a token.")
        _output.say(f"account  {clean(account)}")
        _output.say(f"scopes   {clean(' '.join(found.scopes)) or '(none named)'}")
        if found.expires_in is not None:
            _output.say(f"expires  in {found.expires_in} s; a new one is fetched by itself")
        if found.api_url:
            _output.say(f"API      {clean(found.api_url)}")
    if missing:
        _notice(f"none of the scopes that updates need is granted: {', '.join(sorted(SCOPES))}")
        return FAILED
    return DONE


class _Run:
    """One run over a list of users."""

    def __init__(self, options: argparse.Namespace, arguments: List[str]) -> None:
        self.options = options
        self.arguments = arguments
        self.action = Action.of(options.command)
        self.counts: Counter[Code] = collections.Counter()
        self.signals = 0

    def run(self) -> int:
        options = self.options
        users = self._users()
        if options.resume and not options.report:
            raise Misuse("--resume needs the --report of the run to go on with")
        report = (
            Report(options.report, self.action, options.resume, _notice, read_only=options.dry_run)
            if options.report
            else None
        )
        earlier = report.done if report else {}
        todo = [user for user in users if clean(user) not in earlier]
        failed_before = sum(earlier.get(clean(user), Code.OK) != Code.OK for user in users)
        if len(todo) < len(users):
            _notice(f"{len(users) - len(todo)} of {len(users)} users are in the report already, {failed_before} of them failed")
        if options.dry_run:
            return self._dry_run(todo)
        client = Client.from_env(
            _environment(options.env_file),
            rate=RATE if options.rate is None else options.rate,
            concurrency=CONCURRENCY if options.concurrency is None else options.concurrency,
        )
        with client:
            if not self._agreed(len(todo)):
                _notice("nothing was sent")
                return CANCELLED
            if report:
                report.open()
            return self._send(client, todo, report, len(users), failed_before)

    def _users(self) -> List[str]:
        options = self.options
        if not options.users and options.csv is None:
            raise Misuse("no users: name them, or give --csv FILE")
        users = list(options.users)
        for name in options.csv or ():
            users += read_csv(name, options.column, _notice)
        return tidy(users, _notice)

    def _dry_run(self, todo: List[str]) -> int:
        for user in todo:
            _output.say(json.dumps({"user": user, "action": str(self.action)}) if self.options.json else clean(user))
        _notice(f"dry run: {_users(len(todo))} would be {self.action}d, nothing was sent")
        return DONE

    def _agreed(self, count: int) -> bool:
        """Asks before many deactivations when a person is there."""
        terminal = sys.stdin.isatty() or sys.stderr.isatty()
        if self.action != Action.DEACTIVATE or count <= ASK_ABOVE or self.options.yes or not terminal:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Misuse(f"{count} users would be deactivated: confirm with --yes (--dry-run shows them)")
        sys.stderr.write(f"Deactivate {count} users? They lose their licences and can't log in. [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _send(self, client: Client, todo: List[str], report: Optional[Report], total: int, failed_before: int) -> int:
        began = time.monotonic()
        shown = self.options.verbose or total <= SHOW_ALL_UP_TO
        ended: Optional[str] = None
        left = set(todo)
        with contextlib.ExitStack() as stack:
            bar = _Bar(len(todo))
            stack.callback(bar.close)
            if report:
                stack.callback(report.close)
            batch = stack.enter_context(client.update_many(todo, self.action))
            stack.enter_context(self._stopping(batch))
            try:
                for result in batch:
                    if report:
                        report.add(result)
                        if report.problem:
                            batch.stop()
                    self.counts[result.code] += 1
                    if not result.code.passing:
                        left.discard(result.user_id)
                    if self.options.json:
                        bar.say(json.dumps(_json(result)))
                    elif shown or not (result.ok or result.code is Code.CANCELLED):
                        bar.say(_line(result))
                    bar.count(result)
            except ZoomUserStatusError as error:
                ended = f"{error.result.message} ({error.result.code.symbol})"
                if error.result.retry_after is not None:
                    ended += f"; try again in {_duration(error.result.retry_after)}"
        if report and report.problem:
            ended = report.problem
        return self._summary(
            total, total - len(todo), failed_before, len(left), ended, time.monotonic() - began
        )

    def _summary(
        self, total: int, before: int, failed_before: int, left: int, ended: Optional[str], seconds: float
    ) -> int:
        done = self.counts[Code.OK]
        failed = sum(self.counts.values()) - done - self.counts[Code.CANCELLED]
        if self.signals:
            status = CANCELLED
        elif ended is not None:
            status = STOPPED
        else:
            status = FAILED if failed or failed_before else DONE
        if self.options.json:
            facts = {
                "users": total,
                "done": done,
                "failed": failed,
                "before": before,
                "failed_before": failed_before,
                "left": left,
                "seconds": round(seconds, 3),
                "codes": {code.symbol: n for code, n in sorted(self.counts.items())},
                "ended": ended or ("cancelled" if self.signals else ""),
                "status": status,
            }
            _output.say(json.dumps({"summary": facts}))
        elif total != 1 or status not in (DONE, FAILED):
            reasons = ", ".join(
                f"{n} {code.symbol}" for code, n in sorted(self.counts.items()) if code not in (Code.OK, Code.CANCELLED)
            )
            _output.say(
                f"{_users(done)} {self.action}d, {failed} failed{f' ({reasons})' if reasons else ''} in {_duration(seconds)}"
            )
        if self.signals or ended:
            _notice(f"stopped: {ended or 'cancelled'}")
        if left:
            self._how_to_resume(left)
        return status

    def _how_to_resume(self, left: int) -> None:
        if not self.options.report:
            _notice(f"{_users(left)} left. To send all again does no harm; with --report FILE a run can be resumed.")
            return
        command, *rest = self.arguments
        arguments = self.arguments if self.options.resume else [command, "--resume", *rest]  # not after a --
        _notice(f"{_users(left)} left. To go on: {shlex.join([_PROG, *arguments])}")

    @contextlib.contextmanager
    def _stopping(self, batch: Batch) -> Generator[None, None, None]:
        """Ctrl-C and SIGTERM stop the batch; its last results still reach the report. A third one is no longer held back."""

        def stop(number: int, _frame: object) -> None:
            self.signals += 1
            if self.signals > 2:
                signal.signal(number, signal.SIG_DFL)
            batch.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Bar:
    """The progress bar: rate, failures and time left. Without a terminal, or without tqdm, there is none."""

    def __init__(self, total: int) -> None:
        self._failed = 0
        self._bar: Any = None
        if total < 2 or not sys.stderr.isatty():
            return
        try:
            from tqdm import tqdm
        except ImportError:
            _notice("for a progress bar: pip install 'zoom-user-status[progress]'")
            return
        tqdm.monitor_interval = 0  # no thread
        # Some terminals don't tell their width, and a bar of none shows nothing.
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        self._bar = tqdm(
            total=total,
            unit=" users",
            file=sys.stderr,
            ncols=None if width else 80,
            dynamic_ncols=width > 0,
            postfix={"failed": 0},
        )

    def say(self, line: str) -> None:
        if self._bar is None:
            _output.say(line)
        else:
            with self._bar.external_write_mode(file=sys.stdout):
                _output.say(line)

    def count(self, result: Result) -> None:
        if self._bar is not None and result.code is not Code.CANCELLED:
            if not result.ok:
                self._failed += 1
                self._bar.set_postfix(failed=self._failed, refresh=False)
            self._bar.update()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _environment(name: Optional[str]) -> Dict[str, str]:
    """The environment, with an env file's values over it. Credentials are never mixed from both."""
    env = dict(os.environ)
    if name is None:
        return env
    values: Dict[str, str] = {}
    try:
        with open(name, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
        if os.name == "posix" and os.stat(name).st_mode & 0o077:
            _notice(f"{name} can be read by other users: chmod 600 {shlex.quote(name)}")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{name}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        key, equals, value = bare.partition("=")
        key, value = key.strip(), value.strip()
        key = key[len("export ") :].strip() if key.startswith("export ") else key
        if not equals or not key.isidentifier():
            raise Misuse(f"{name}, line {number}: not KEY=VALUE")  # the line itself may be a secret
        quoted = value[:1] in ("'", '"') and value.find(value[0], 1)
        value = value[1:quoted] if quoted > 0 else value.partition(" #")[0].rstrip()
        values[key] = value
    if any(values.get(key) for key in _CREDENTIALS):
        for key in _CREDENTIALS:
            env.pop(key, None)
    env.update(values)
    return env


def _json(result: Result, user: bool = True) -> Dict[str, Any]:
    who = {"user": result.user_id, "action": str(result.action), "ok": result.ok} if user else {}
    return {
        **who,
        "code": result.code.symbol,
        "http_status": result.http_status,
        "zoom_code": result.zoom_code,
        "message": result.message,
        "tracking_id": result.tracking_id,
        "retry_after": result.retry_after,
        "attempts": result.attempts,
        "time": now(),
    }


def _line(result: Result) -> str:
    if result.ok:
        return f"{clean(result.user_id)}: {result.action}d"
    # In flight at a Ctrl-C: it may or may not have been done, and stays to be done.
    what = "LEFT" if result.code is Code.CANCELLED else "FAILED"
    return f"{what} {clean(str(error_for(result)))}"


def _users(count: int) -> str:
    return f"{count} user{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


class _Output:
    """The standard output. When it can't be written the run goes on without it."""

    def __init__(self) -> None:
        self.lost = False
        """Whether something wasn't written that somebody may want to read."""

    def say(self, line: str) -> None:
        try:
            print(line)
        except OSError as error:
            self._hush(error)

    def flush(self) -> None:
        try:
            sys.stdout.flush()
        except OSError as error:
            self._hush(error)

    def _hush(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):  # whose reader has seen enough
            self.lost = True
            _notice(f"the standard output can't be written: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_output = _Output()


def _notice(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"{_PROG}: {clean(text)}", file=sys.stderr)
