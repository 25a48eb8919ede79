"""Tests signals, threads, asyncio, fork and the end of the interpreter."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any, List, Tuple

import pytest
import zoom_user_status as zus
from conftest import Sandbox, clean_env

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no POSIX signals, which this test sends")
SETUP = """
import os, signal, sys, threading, time
import zoom_user_status as zus
client = zus.Client.from_env(rate=None, backoff=(0.01, 0.05), timeout=20)
"""


def program(sandbox: Sandbox, text: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-W", "ignore:This process", "-c", SETUP + textwrap.dedent(text)],
        env=clean_env(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]", timeout: float = 20) -> Tuple[int, str, str]:
    # communicate() would lose what readline() has read ahead.
    assert process.stdout and process.stderr
    late = threading.Timer(timeout, process.kill)
    late.start()
    out, err = process.stdout.read(), process.stderr.read()
    process.wait()
    late.cancel()
    process.stdout.close()
    process.stderr.close()
    return process.returncode, out, err


def until(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout
    late = threading.Timer(60, process.kill)  # if the line never comes, the test fails and does not wait forever
    late.start()
    assert process.stdout.readline().strip() == line
    late.cancel()


@posix
def test_ctrl_c_during_a_call(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        for attempt in range(2):
            try:
                print("calling", flush=True)
                client.deactivate("answer-never@example.com")
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        print(client.deactivate("ada@example.com").ok)
        """,
    )
    for _ in range(2):
        until(process, "calling")
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        until(process, "interrupted")
        assert time.monotonic() - began < 5  # without the signal it takes 20
    assert ended(process) == (0, "True\n", "")


@posix
def test_ctrl_c_ends_a_program_that_does_not_expect_it(sandbox: Sandbox) -> None:
    process = program(sandbox, 'print("calling", flush=True); client.deactivate("answer-never@example.com")')
    until(process, "calling")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == -signal.SIGINT and "KeyboardInterrupt" in err


@posix
@pytest.mark.parametrize("where", ["waits", "has a result"])
def test_ctrl_c_during_a_batch_loses_no_result(sandbox: Sandbox, where: str) -> None:
    process = program(
        sandbox,
        """
        users = ["ada@example.com"] * 20 + ["answer-never@example.com"] * 100
        batch = client.update_many(users, "deactivate")
        results = []
        try:
            for result in batch:
                results.append(result)
                if len(results) == 20:
                    print("running", flush=True)
                    if HAS_A_RESULT:
                        time.sleep(60)
        except KeyboardInterrupt:
            if HAS_A_RESULT:        # the batch was not stopped
                assert batch.code is None
                batch.cancel()
            results += batch
        assert len(set(r.index for r in results)) == len(results) < 100, len(results)
        print(sum(r.ok for r in results), batch.code.symbol)
        """.replace("HAS_A_RESULT", str(where == "has a result")),
    )
    until(process, "running")
    time.sleep(0.5)  # until the program waits at the right place
    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "20 ZUS_ERR_CANCELLED\n", "")


@posix
@pytest.mark.parametrize("cancel", ["None", "zus.Cancel()"])
def test_a_call_goes_on_after_a_handler_that_returns(sandbox: Sandbox, cancel: str) -> None:
    process = program(
        sandbox,
        """
        seen = []
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(name, lambda number, frame: seen.append(number))
        print("calling", flush=True)
        assert client.deactivate("answer-slow-1000@example.com", cancel=CANCEL).ok
        print([int(n) for n in seen])
        """.replace("CANCEL", cancel),
    )
    until(process, "calling")
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        time.sleep(0.2)
        process.send_signal(number)
    assert ended(process) == (0, f"[{int(signal.SIGUSR1)}, {int(signal.SIGTERM)}, {int(signal.SIGINT)}]\n", "")


@posix
def test_a_signal_ends_no_call_of_another_thread_with_the_same_cancel(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        from concurrent.futures import ThreadPoolExecutor
        signal.signal(signal.SIGUSR1, lambda number, frame: print("heard", flush=True))
        cancel = zus.Cancel()
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(client.deactivate, "answer-slow-1500@example.com", cancel=cancel)
            print("calling", flush=True)
            assert client.deactivate("answer-slow-1000@example.com", cancel=cancel).ok
            print(job.result().attempts, cancel.cancelled)
        """,
    )
    until(process, "calling")
    time.sleep(0.3)
    process.send_signal(signal.SIGUSR1)
    assert ended(process) == (0, "heard\n1 False\n", "")


@posix
def test_a_handler_that_cancels_ends_the_call(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        cancel = zus.Cancel()
        signal.signal(signal.SIGTERM, lambda number, frame: cancel.cancel())
        print("calling", flush=True)
        try:
            client.deactivate("answer-never@example.com", cancel=cancel)
        except zus.Cancelled as error:
            print(error.result.attempts)
        """,
    )
    until(process, "calling")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "1\n", "")


@posix
def test_a_call_ends_despite_an_interval_timer(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        signal.signal(signal.SIGALRM, lambda number, frame: None)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        print(client.deactivate("answer-slow-500@example.com").ok)
        signal.setitimer(signal.ITIMER_REAL, 0)
        """,
    )
    assert ended(process) == (0, "True\n", "")


@posix
def test_the_exception_of_an_alarm_handler_is_raised(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        def raises(number, frame): raise TimeoutError("mine")
        signal.signal(signal.SIGALRM, raises)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            client.deactivate("answer-never@example.com")
        except TimeoutError as error:
            print(type(error).__name__, error)
        """,
    )
    assert ended(process, 5) == (0, "TimeoutError mine\n", "")


@posix
def test_another_owner_of_the_wakeup_descriptor_keeps_it() -> None:
    sandbox = Sandbox("--quiet")
    try:
        process = program(
            sandbox,
            """
            import asyncio
            async def main():
                loop = asyncio.get_running_loop()
                heard = asyncio.Event()
                loop.add_signal_handler(signal.SIGUSR2, heard.set)
                mine = signal.set_wakeup_fd(-1); signal.set_wakeup_fd(mine)
                assert client.activate("ada@example.com").ok      # blocks the event loop
                assert mine != -1 and signal.set_wakeup_fd(mine) == mine
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR2)).start()
                assert client.activate("answer-slow-600@example.com").ok
                await asyncio.wait_for(heard.wait(), 2)           # the event loop got the byte
                print("heard")
            asyncio.run(main())
            """,
        )
        assert ended(process) == (0, "heard\n", "")
    finally:
        sandbox.close()


@posix
def test_ctrl_c_with_calls_in_other_threads(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(client.deactivate, "answer-slow-800@example.com") for _ in range(4)]
            print("calling", flush=True)
            try:
                time.sleep(10)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            print(all(job.result().ok for job in jobs))
        """,
    )
    until(process, "calling")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "interrupted\nTrue\n", "")


def test_threads(sandbox: Sandbox) -> None:
    client = sandbox.client(**sandbox.oauth)
    done: List[bool] = []

    def run() -> None:
        for _ in range(50):
            done.append(client.deactivate("ada@example.com").ok)

    before = sandbox.ledger()["token_requests"]
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 400
    assert sandbox.ledger()["token_requests"] == before + 1


def test_asyncio_to_thread(sandbox: Sandbox) -> None:
    client = sandbox.client()

    async def main() -> Tuple[List[Any], float]:
        began = time.monotonic()
        calls = [asyncio.to_thread(client.deactivate, "answer-slow-1000@example.com") for _ in range(4)]
        failing = asyncio.to_thread(client.deactivate, "nobody@example.com")
        results = await asyncio.gather(*calls, failing, return_exceptions=True)
        return list(results), time.monotonic() - began

    results, seconds = asyncio.run(main())
    assert all(result.ok for result in results[:4]) and isinstance(results[4], zus.UserNotFound)
    assert seconds < 3  # one after another they would take 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_fork(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        client.deactivate("ada@example.com")
        batch = client.update_many(["answer-slow-50@example.com"] * 40, "activate")
        next(batch)
        child = os.fork()
        if child == 0:
            for call in (lambda: client.deactivate("ada@example.com"), lambda: next(batch), client.check_credentials):
                try:
                    call()
                except zus.ForkedError as error:
                    print(error)
            batch.close()
            del batch, client
            other = zus.Client.from_env()
            print(other.deactivate("ada@example.com").ok, sum(r.ok for r in other.update_many(["ada@example.com"], "activate")))
            sys.stdout.flush()
            sys.exit(0)
        print(os.waitpid(child, 0)[1], len(list(batch)), client.activate("ada@example.com").ok)
        """,
    )
    code, out, err = ended(process)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 5 and all("ZUS_ERR_FORKED" in line for line in lines[:3])
    assert lines[3:] == ["True 1", "0 39 True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_ctrl_c_in_a_forked_child(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        client.deactivate("ada@example.com")        # so that the parent owns the wake-up descriptor
        child = os.fork()
        if child == 0:
            try:
                zus.Client.from_env().deactivate("answer-never@example.com")
            except KeyboardInterrupt:
                os._exit(7)
        time.sleep(0.5)
        os.kill(child, signal.SIGINT)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )
    assert ended(process, 10) == (0, "7\n", "")


@pytest.mark.parametrize(
    "text",
    [
        # a batch whose results are not read any more
        'batch = client.update_many(["answer-slow-20@example.com"] * 5000, "deactivate"); next(batch)',
        # the same, and an uncaught exception has a reference to it
        'batch = client.update_many(["answer-slow-20@example.com"] * 5000, "deactivate"); next(batch); 1 / 0',
        # a call of a daemon thread
        'threading.Thread(target=client.deactivate, args=("answer-never@example.com",), daemon=True).start(); time.sleep(0.3)',
        # a batch of a daemon thread, with log lines
        "import logging; logging.basicConfig(level=1, stream=open(os.devnull, 'w')); client = zus.Client.from_env(rate=None)\n"
        'threading.Thread(target=lambda: list(client.update_many(["answer-slow-5@example.com"] * 9000, "activate")),'
        " daemon=True).start(); time.sleep(0.3)",
        # a client that is never closed, and a call at exit
        'import atexit; client.activate("ada@example.com"); atexit.register(client.activate, "ada@example.com")',
    ],
)
def test_the_interpreter_ends_with_calls_in_flight(sandbox: Sandbox, text: str) -> None:
    began = time.monotonic()
    code, _, err = ended(program(sandbox, text))
    assert code == (1 if "1 / 0" in text else 0), err
    assert "Fatal" not in err and "panic" not in err
    assert time.monotonic() - began < 10


def test_every_handle_is_freed(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        import resource
        def round():
            for _ in range(150):
                with zus.Client.from_env(rate=None) as one:
                    one.activate("ada@example.com")
                    try:
                        one.activate("nobody@example.com")
                    except zus.UserNotFound:
                        pass
            list(client.update_many(["ada@example.com"] * 500, "activate"))
        round()
        files, size = len(os.listdir("/proc/self/fd")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        round(); round()
        print(len(os.listdir("/proc/self/fd")) - files, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size < 4000)
        """,
    ) if sys.platform == "linux" else pytest.skip("needs /proc")
    code, out, err = ended(process, 60)
    assert (code, err) == (0, "")
    files, steady = out.split()
    assert abs(int(files)) <= 16 and steady == "True"


@posix
def test_no_ctrl_c_is_lost(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        import logging
        logging.getLogger("zoom_user_status").setLevel(logging.DEBUG)   # callbacks in every call
        log = zus.Client.from_env(rate=None, timeout=20)
        users = ["ada@example.com", "answer-slow-5@example.com", "nobody@example.com"]
        heard = told = 0
        while heard < 150:
            try:
                while True:
                    if told == heard:       # here, so that the next Ctrl-C does not come during the except clause
                        told += 1
                        print("heard", heard, flush=True)
                    for user in users:
                        try:
                            (log if heard % 2 else client).deactivate(user)
                        except zus.UserNotFound:
                            pass
            except KeyboardInterrupt:
                heard += 1
        print(client.deactivate("ada@example.com").ok, signal.set_wakeup_fd(-1))
        """,
    )
    chance = random.Random(3)
    for heard in range(150):
        until(process, f"heard {heard}")
        time.sleep(0.001 + chance.random() * 0.01)
        process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "True -1\n", "")
