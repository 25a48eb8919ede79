"""Runs one command for many users."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import signal
import sys
import time
from typing import Any, Dict, Generator, List, Mapping, Optional, Set

from .._batch import Batch
from .._client import Client
from .._codes import Code
from .._errors import ZoomUserStatusError
from .._result import Result
from .cells import key_of
from .environment import Environment, read_environment
from .hints import hint
from .jobs import Job, Outcome, Preflight, is_missing, job_of
from .progress import Bar
from .report import Earlier, Report, now
from .rules import StopRules
from .settings import make_client
from .summary import DONE, FAILED, INTERRUPTED, TERMINATED, Tally, describe, how_it_ended
from .tables import Layout
from .terminal import BOLD, PROGRAM, Console, CommandLineError, clean, count, duration
from .users import Users

ASK_ABOVE = 10
TYPE_ABOVE = 100
SHOW_ALL_UP_TO = 10
AGAIN = "It is safe to send all users again. With --report FILE you can resume a run."


class Run:
    def __init__(self, options: argparse.Namespace, arguments: List[str], console: Console) -> None:
        self.options = options
        self.arguments = arguments
        self.console = console
        self.job = job_of(options)
        self.signals: List[int] = []
        self.batch: Optional[Batch[Any]] = None

    def run(self) -> int:
        options = self.options
        found = self._users()
        users = found.by_key
        if options.max_users is not None and len(users) > options.max_users:
            raise CommandLineError(f"nothing was sent: there are {count(len(users), 'user')}, and --max-users allows {options.max_users}")
        env = read_environment(options.env_file, self.console)
        if (options.resume or options.retry_failed is not None) and not options.report:
            raise CommandLineError("--resume and --retry-failed need the report of the earlier run: name it with --report")
        resume = options.resume or options.retry_failed is not None
        report = (
            Report(options.report, self.job.word, env.binding, users, self.console, resume, read_only=options.dry_run)
            if options.report
            else None
        )
        tally = Tally(self.job.did, len(users), len(found.skipped))
        earlier = report.earlier if report else {}
        todo = self._order(users, earlier, tally)
        if tally.before:
            kept = (line for line in earlier.values() if not self._again(line))
            verb = "is" if tally.before == 1 else "are"
            self.console.notice(f"{tally.before} of {count(len(users), 'user')} {verb} in the report already: {describe(kept)}")
            if not todo:
                self._nothing_to_send(tally)
        if options.dry_run:
            return self._dry_run(todo, found)
        with make_client(env, options) as client:
            if not self._agreed(todo, env):
                self.console.error("nothing was sent")
                return INTERRUPTED
            if report:
                report.open(found.skipped, found.files)
            self._show_skipped(found)
            with self._handling_signals():  # the summary included, so that a second Ctrl-C does not cut it off
                self._send(client, todo, report, earlier, tally)
                return self._summary(tally)

    # ---- before the run

    def _users(self) -> Users:
        options = self.options
        if not options.users and options.csv is None:
            raise CommandLineError("no users are named: write them on the command line, or use --csv FILE")
        found = Users(self.console, every_notice=options.dry_run)
        found.add_typed(options.users)
        for name in options.csv or ():
            found.add_file(name, options.encoding, Layout(options.column, options.header))
        found.finish()
        return found

    def _again(self, earlier: Earlier) -> bool:
        """Returns whether a user with this earlier line is sent again."""
        if earlier.code is Code.OK or (self.options.ignore_missing and is_missing(*earlier)):
            return False
        asked: Optional[Set[Code]] = self.options.retry_failed
        return earlier.code.transient or (asked is not None and (not asked or earlier.code in asked))

    def _order(self, users: Mapping[str, str], earlier: Dict[str, Earlier], tally: Tally) -> List[str]:
        """Returns the users to send. Users who failed earlier come last, so that they don't delay the others."""
        new: List[str] = []
        again: List[str] = []
        for key, user in users.items():
            line = earlier.get(key)
            if line is None:
                new.append(user)
            elif self._again(line):
                again.append(user)
            elif line.code is Code.OK or (self.options.ignore_missing and is_missing(*line)):
                tally.done_before += 1
            else:
                tally.failed_before += 1
        return new + again

    def _nothing_to_send(self, tally: Tally) -> None:
        how = "; --retry-failed sends the failed users again" if tally.failed_before else ""
        self.console.notice(f"there is no user to {'send' if self.job.updates else 'read'}{how}")

    def _show_skipped(self, found: Users) -> None:
        if self.options.json:
            for row in found.skipped:
                self.console.say(json.dumps({"skipped": row.why, "file": row.file, "line": row.line, "cell": row.cell}))

    def _dry_run(self, todo: List[str], found: Users) -> int:
        self._show_skipped(found)
        for user in todo:
            self.console.say(json.dumps({"user": user, "action": self.job.word}) if self.options.json else clean(user))
        self.console.notice(f"dry run: {count(len(todo), 'user')} would be {self.job.would}; nothing was sent")
        return FAILED if found.skipped else DONE

    def _agreed(self, todo: List[str], env: Environment) -> bool:
        """Asks before many deactivations if there is a person to ask. Returns whether the run may start."""
        number = len(todo)
        terminal = sys.stdin.isatty() or sys.stderr.isatty()
        if not self.job.updates or self.job.word != "deactivate" or number <= ASK_ABOVE or self.options.yes or not terminal:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise CommandLineError(f"{number} users would be deactivated: confirm this with --yes (--dry-run shows the users)")
        account = env.account or f"the account of {env.source('ZOOM_ACCESS_TOKEN')}"
        typed = number > TYPE_ABOVE
        sys.stderr.write(
            f"account  {clean(account)}\n"
            f"API      {clean(env.api_url)}\n"
            f"users    {number}: {', '.join(map(clean, todo[:3]))}, ...\n"
            f"Deactivate {number} users? They lose their licenses and can't log in. "
            + (f"Type the number {number} to continue: " if typed else "[y/N] ")
        )
        sys.stderr.flush()
        reply = sys.stdin.readline().strip().lower()
        return reply == str(number) if typed else reply in ("y", "yes")

    # ---- sending

    def _send(self, client: Client, todo: List[str], report: Optional[Report], earlier: Dict[str, Earlier], tally: Tally) -> None:
        began = time.monotonic()
        options = self.options
        rules = StopRules(options.max_failures)
        shown = not options.quiet and (options.verbose or tally.users <= SHOW_ALL_UP_TO)
        with contextlib.ExitStack() as stack:
            bar = Bar(len(todo), self.console)
            stack.callback(bar.close)
            if report:
                stack.callback(report.close)
            self.batch = batch = stack.enter_context(self.job.begin(client, todo))
            if self.signals:
                batch.cancel()
            table = _Table(self.job, todo, bar) if not (options.quiet or options.json) else None
            try:
                for outcome in self.job.outcomes(batch):
                    result = outcome.result
                    if report:
                        report.add(outcome)
                        if report.problem:
                            batch.stop()
                    tally.add(outcome)
                    if options.json:
                        bar.say(json.dumps(self._json(outcome)))
                    elif table and table.is_one:
                        table.add(outcome)
                    elif shown or not (outcome.done and not outcome.short or result.code is Code.CANCELLED):
                        bar.say(self.job.line(outcome), self.job.colour(outcome))
                    bar.count(result, not outcome.done)
                    tried = key_of(result.user_id) in earlier
                    why = rules.check(outcome, tried, tried and options.retry_failed is not None)
                    if why and not tally.ended and tally.done + tally.failed < len(todo):
                        tally.ended = why
                        batch.stop()
            except ZoomUserStatusError as error:
                tally.ended = f"{error.result.message} ({error.result.code.symbol})"
                if error.result.retry_after is not None:
                    tally.ended += f"; try again in {duration(error.result.retry_after)}"
            if table:
                table.end()
            tally.seconds = time.monotonic() - began
        if report and report.problem:
            tally.ended = report.problem

    def _json(self, outcome: Outcome) -> Dict[str, Any]:
        result = outcome.result
        who = {"user": result.user_id, "action": self.job.word, "ok": result.ok}
        return {**who, **self.job.json(outcome), **as_json(result)}

    @contextlib.contextmanager
    def _handling_signals(self) -> Generator[None, None, None]:
        """Lets Ctrl-C and SIGTERM cancel the batch, so that its last results still reach the report. The third signal ends the program."""

        def stop(number: int, _frame: object) -> None:
            self.signals.append(number)
            if len(self.signals) > 2:
                signal.signal(number, signal.SIG_DFL)
            if self.batch is not None:
                self.batch.cancel()

        # nohup and a shell's "&" make a program ignore signals, and these stay ignored.
        handled = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, stop) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                # After a signal the program ends with its exit status, which another signal must not change.
                signal.signal(number, signal.SIG_IGN if self.signals else handler)

    # ---- after the run

    def _summary(self, tally: Tally) -> int:
        if self.signals:
            tally.signal_status = TERMINATED if self.signals[0] == signal.SIGTERM else INTERRUPTED
        if self.options.json:
            self.console.say(json.dumps({"summary": tally.as_json()}))
        elif not self.options.quiet and (tally.users != 1 or tally.skipped or tally.status not in (DONE, FAILED)):
            tally.show(self.console, self.job.updates)
        elif tally.failures and not self.options.quiet:
            for code in tally.failures:  # a single user needs no table: its line lacks only the hint
                if advice := hint(code, self.job.updates):
                    self.console.notice(advice)
        how_it_ended(tally, self._resume_command(), AGAIN if self.job.updates else "", self.console)
        return tally.status

    def _resume_command(self) -> Optional[str]:
        if not self.options.report or isinstance(self.job, Preflight):
            return None
        command, *rest = self.arguments
        arguments = self.arguments if self.options.resume else [command, "--resume", *rest]  # before a --
        return shlex.join([PROGRAM, *arguments])


class _Table:
    """Shows the lines of users in the order in which the users were named, if the lines make up a table."""

    def __init__(self, job: Job[Any], users: List[str], bar: Bar) -> None:
        self._job = job
        self._bar = bar
        self._waiting: Dict[int, Outcome] = {}
        self._next = 0
        header = job.header(users)
        self.is_one = bool(header)
        if header:
            bar.say(header, BOLD)

    def add(self, outcome: Outcome) -> None:
        self._waiting[outcome.result.index] = outcome
        while self._next in self._waiting:
            self._show(self._waiting.pop(self._next))
            self._next += 1

    def end(self) -> None:
        """Shows the users who come after a user without a result."""
        for _, outcome in sorted(self._waiting.items()):
            self._show(outcome)

    def _show(self, outcome: Outcome) -> None:
        self._bar.say(self._job.line(outcome), self._job.colour(outcome))


def as_json(result: Result) -> Dict[str, Any]:
    return {
        "code": result.code.symbol,
        "http_status": result.http_status,
        "zoom_code": result.zoom_code,
        "message": result.message,
        "tracking_id": result.tracking_id,
        "retry_after": result.retry_after,
        "attempts": result.attempts,
        "delivery": str(result.delivery),
        "time": now(),
    }
