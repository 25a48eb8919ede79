"""Tests AsyncClient, whose calls run in an event loop and without Python threads."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any, Callable, Coroutine, Dict, List, Optional, Type

import pytest
import zoom_user_status as zus
from conftest import Sandbox, clean_env
from test_process import ended, posix, until


def client(sandbox: Sandbox, **options: Any) -> zus.AsyncClient:
    given: Dict[str, Any] = {"rate": None, "backoff": (0.01, 0.05), "base_url": sandbox.env["ZOOM_API_URL"], **options}
    if not any(name in given for name in ("token_provider", "account_id")):
        given.setdefault("token", sandbox.env["ZOOM_ACCESS_TOKEN"])
    return zus.AsyncClient(oauth_url=sandbox.env["ZOOM_OAUTH_URL"], **given)


class WithoutReaders(asyncio.SelectorEventLoop):
    """An event loop that can't watch a descriptor, as the default loop of Windows."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        if callback.__qualname__.startswith("Queue."):
            raise NotImplementedError
        return super().add_reader(fd, callback, *args)


def run(main: Coroutine[Any, Any, Any], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> Any:
    """Does what asyncio.run does, with any event loop and on every Python."""
    made = loop()
    try:
        return made.run_until_complete(asyncio.wait_for(main, 60))
    finally:
        made.run_until_complete(made.shutdown_asyncgens())
        made.close()


loops = pytest.mark.parametrize("loop", [asyncio.new_event_loop, WithoutReaders])


@loops
def test_every_method(sandbox: Sandbox, loop: Any) -> None:
    async def main() -> None:
        async with client(sandbox, **sandbox.oauth) as zoom:
            for done in (zoom.deactivate, zoom.activate, zoom.clock_in, zoom.clock_out):
                result = await done("ada@example.com")
                assert result.ok and result.http_status == 204 and result.delivery is zus.Delivery.RESPONDED
                assert result.header("X-RateLimit-Category") == "Light"
            assert (await zoom.update("ada@example.com", "deactivate")).action is zus.Action.DEACTIVATE
            assert (await zoom.status("ada@example.com")).status is zus.Status.INACTIVE
            assert "user:write:admin" in (await zoom.check_credentials()).scopes
            with pytest.raises(zus.UserNotFound) as missing:
                await zoom.deactivate("nobody@example.com")
            assert missing.value.result.user_id == "nobody@example.com" and missing.value.tracking_id
            with pytest.raises(zus.InvalidArgument, match="trailing whitespace"):
                await zoom.deactivate("ada@example.com ")
            with pytest.raises(zus.InvalidArgument):
                await zoom.status("\0")
            with pytest.raises(TypeError):
                await zoom.status(7)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="closed"):
            await zoom.deactivate("ada@example.com")

    run(main(), loop)


def test_a_thousand_calls_take_no_thread(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "1000", "--delay", "100")

    before = set(threading.enumerate())

    async def main() -> None:
        zoom = client(sandbox, concurrency=100)
        lateness = 0.0

        async def tick() -> None:
            nonlocal lateness
            while True:
                due = time.monotonic() + 0.01
                await asyncio.sleep(0.01)
                lateness = max(lateness, time.monotonic() - due)

        ticks = asyncio.create_task(tick())
        calls = [asyncio.create_task(zoom.deactivate(f"user{number:05}@example.com")) for number in range(1, 1001)]
        await asyncio.sleep(0.05)
        assert set(threading.enumerate()) <= before
        assert getattr(asyncio.get_running_loop(), "_default_executor") is None
        assert all(result.ok for result in await asyncio.gather(*calls))
        assert set(threading.enumerate()) <= before
        ticks.cancel()
        assert lateness < 1
        await zoom.aclose()

    run(main())
    assert sandbox.ledger()["most_in_flight"] <= 100


@loops
def test_a_cancelled_task_cancels_its_call(new_sandbox: Callable[..., Sandbox], loop: Any) -> None:
    sandbox = new_sandbox("--users", "10")

    async def main() -> None:
        async with client(sandbox, concurrency=2) as zoom:
            hang = [asyncio.create_task(zoom.deactivate("answer-never@example.com")) for _ in range(4)]
            while sandbox.ledger()["users"].get("answer-never@example.com", {"received": 0})["received"] < 2:
                await asyncio.sleep(0.01)
            began = time.monotonic()
            for task in hang:
                task.cancel()
            assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*hang, return_exceptions=True))
            assert time.monotonic() - began < 0.1
            assert (await zoom.deactivate("user00001@example.com")).ok  # both workers can send again
            assert time.monotonic() - began < 2
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(zoom.deactivate("answer-never@example.com"), 0.1)

    run(main(), loop)


@loops
def test_a_batch(sandbox: Sandbox, loop: Any) -> None:
    users = [f"user{number:05}@example.com" for number in range(1, 301)] + ["nobody@example.com", "\ud800", "", "a\0b"]

    async def main() -> None:
        async with client(sandbox) as zoom:
            batch = zoom.update_many(users, "deactivate")
            assert "304 users, 0 started" in repr(batch) and batch.code is None
            results = [result async for result in batch]
            assert sorted(result.index for result in results) == list(range(304))
            assert all(result.user_id == users[result.index] for result in results)
            wrong = {result.user_id: result.code for result in results if not result}
            assert wrong == {
                "nobody@example.com": zus.Code.USER_NOT_FOUND,
                "\ud800": zus.Code.UTF8,
                "": zus.Code.ARGUMENT,
                "a\0b": zus.Code.ARGUMENT,
            }
            assert batch.code is zus.Code.PARTIAL and "ended ZUS_ERR_PARTIAL" in repr(batch)
            assert [one async for one in batch] == []
            read = {one.user_id: one.status async for one in zoom.statuses(users[:3] + users[-4:-3])}
            assert read == {**dict.fromkeys(users[:3], zus.Status.INACTIVE), "nobody@example.com": zus.Status.UNKNOWN}
            none = zoom.update_many([], "activate")
            assert [one async for one in none] == [] and none.code is zus.Code.OK
            with pytest.raises(TypeError):
                zoom.update_many("ada@example.com", "activate")

    run(main(), loop)


def test_a_batch_has_the_results_of_the_synchronous_one(sandbox: Sandbox) -> None:
    users = [
        "ada@example.com", "admin@example.com", "events@example.com", "nobody@example.com", "ghost-same@example.com",
        "pending-same@example.com", "answer-html@example.com", "user00009@example.com", " a@example.com", "room@example.com",
    ]
    options: Dict[str, Any] = {"verify": 0.3, "retries": 0}

    async def main() -> List[zus.Result]:
        async with client(sandbox, **options) as zoom:
            return [result async for result in zoom.update_many(users, "deactivate")]

    def shown(results: List[zus.Result]) -> List[Any]:
        ordered = sorted(results, key=lambda result: result.index)
        return [(r.user_id, r.action, r.code, r.http_status, r.zoom_code, r.delivery, r.user_status, r.is_fatal) for r in ordered]

    synchronous = list(sandbox.client(**options).update_many(users, "deactivate"))
    assert shown(run(main())) == shown(synchronous)


@pytest.mark.parametrize("way", ["stop", "cancel()", "aclose", "break", "cancel"])
def test_stopping_a_batch_loses_no_result(new_sandbox: Callable[..., Sandbox], way: str) -> None:
    sandbox = new_sandbox("--users", "400", "--delay", "30")
    users = [f"user{number:05}@example.com" for number in range(1, 401)]

    async def main() -> List[zus.Result]:
        zoom = client(sandbox, concurrency=4)
        results: List[zus.Result] = []
        if way == "break":
            async for result in zoom.update_many(users, "deactivate"):
                results.append(result)
                if len(results) == 20:
                    break
            await asyncio.sleep(0.3)  # the users in flight are cancelled, and no other user is sent
            return results
        batch = zoom.update_many(users, "deactivate")

        async def take() -> None:
            async for result in batch:
                results.append(result)
                if len(results) == 20 and way == "stop":
                    batch.stop()
                elif len(results) == 20 and way == "cancel()":
                    batch.cancel()
                elif len(results) == 20 and way == "aclose":
                    await batch.aclose()

        task = asyncio.create_task(take())
        if way == "cancel":
            while len(results) < 20:
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        results += [result async for result in batch]
        assert batch.code is zus.Code.CANCELLED
        return results

    results = run(main())
    received_by = {user for user, what in sandbox.ledger()["users"].items() if what["received"]}
    reported = {result.user_id for result in results if result.attempts}
    assert len({result.index for result in results}) == len(results) < 60
    assert len(received_by) < 60
    if way != "break":
        assert received_by <= reported
    assert all(result.ok or result.code is zus.Code.CANCELLED and way != "stop" for result in results)


def test_a_batch_sends_slowly_for_a_slow_reader(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "200")

    async def main() -> None:
        async with client(sandbox, concurrency=3) as zoom, zoom.update_many(
            [f"user{number:05}@example.com" for number in range(1, 201)], "deactivate"
        ) as batch:
            await batch.__anext__()
            await asyncio.sleep(0.3)
            assert sandbox.ledger()["requests"] <= 7

    run(main())


def sealed(rejected: bool) -> str:
    raise OSError("the vault is sealed")


@pytest.mark.parametrize(
    "options, user, error",
    [
        ({"token": "no-scope"}, "ada", zus.Forbidden),
        ({"token": "nonsense"}, "ada", zus.Unauthorized),
        ({"token": "no-read", "verify": 5}, "ada", zus.Forbidden),
        ({"token_provider": sealed, "concurrency": 1}, "ada", OSError),
        ({"token_provider": sealed, "verify": 5}, "ada", OSError),
        ({}, "answer-429-daily", zus.DailyLimitReached),
        ({}, "answer-403", zus.Forbidden),  # five in a row lack it
    ],
)
def test_what_is_fatal_for_a_batch_ends_it_as_it_ends_the_synchronous_one(
    new_sandbox: Callable[..., Sandbox], options: Dict[str, Any], user: str, error: Type[Exception]
) -> None:
    sandbox = new_sandbox()
    users = [f"{user}+{number}@example.com" if user != "ada" else "ada@example.com" for number in range(100)]
    options = {"rate": 10, "base_url": sandbox.env["ZOOM_API_URL"], **options}
    if "token_provider" not in options:
        options.setdefault("token", sandbox.env["ZOOM_ACCESS_TOKEN"])
    ends: List[Any] = []

    def end(results: List[zus.Result], code: Optional[zus.Code]) -> None:
        requests = sandbox.ledger()["requests"] - sum(end[2] for end in ends)
        ends.append(([(one.code, one.delivery, one.is_fatal, one.attempts) for one in results], code, requests))

    def synchronous() -> None:
        results = []
        with zus.Client(**options) as zoom:
            batch = zoom.update_many(users, "deactivate")
            with pytest.raises(error):
                for result in batch:
                    results.append(result)
            end(results, batch.code)

    async def asynchronous() -> None:
        results = []
        async with client(sandbox, **options) as zoom:
            batch = zoom.update_many(users, "deactivate")
            with pytest.raises(error):
                async for result in batch:
                    results.append(result)
            end(results, batch.code)

    synchronous()
    run(asynchronous())
    assert ends[0] == ends[1]
    assert ends[1][0][-1][2], "the last one is fatal"


def test_a_missing_read_scope_ends_a_verified_batch_before_the_first_update(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "10")

    async def main() -> None:
        async with client(sandbox, token="no-read", verify=5) as zoom:
            results = []
            with pytest.raises(zus.Forbidden):
                async for result in zoom.update_many(["user00001@example.com", "user00002@example.com"], "deactivate"):
                    results.append(result)
            assert [(one.index, one.action, one.delivery) for one in results] == [
                (0, zus.Action.DEACTIVATE, zus.Delivery.NOT_SENT)
            ]

    run(main())
    assert all(user["received"] == 0 for user in sandbox.ledger()["users"].values())


def test_closing_a_client_cancels_its_calls(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "100", "--delay", "50")

    async def main() -> None:
        async with client(sandbox, concurrency=2) as zoom:
            calls = [asyncio.create_task(zoom.deactivate("answer-never@example.com")) for _ in range(4)]
            batch = zoom.update_many([f"user{number:05}@example.com" for number in range(1, 101)], "deactivate")
            await asyncio.sleep(0.2)
        began = time.monotonic()
        ended_with = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in ended_with] == [zus.Cancelled] * 4 and time.monotonic() - began < 0.2
        with pytest.raises(RuntimeError, match="closed"):
            await batch.__anext__()

    run(main())


@loops
@pytest.mark.parametrize("is_coroutine", [True, False])
def test_a_token_provider(sandbox: Sandbox, loop: Any, is_coroutine: bool) -> None:
    asked: List[bool] = []

    def plain(rejected: bool) -> str:
        asked.append(rejected)
        assert threading.current_thread() is threading.main_thread()
        return sandbox.env["ZOOM_ACCESS_TOKEN"] if rejected else "expired"

    async def awaited(rejected: bool) -> str:
        await asyncio.sleep(0.01)
        return plain(rejected)

    async def main() -> None:
        async with client(sandbox, token_provider=awaited if is_coroutine else plain) as zoom:
            assert all(result.ok for result in await asyncio.gather(*(zoom.activate("ada@example.com") for _ in range(20))))
        assert asked == [False, True]

    run(main(), loop)


@pytest.mark.parametrize("given", [KeyError("no vault"), 7, "white space", ""])
def test_a_token_provider_that_fails(sandbox: Sandbox, given: Any) -> None:
    async def provide(rejected: bool) -> str:
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[no-any-return]

    expected = KeyError if isinstance(given, Exception) else TypeError if given == 7 else zus.InvalidArgument

    async def main() -> None:
        async with client(sandbox, token_provider=provide) as zoom:
            with pytest.raises(expected):
                await zoom.activate("ada@example.com")
            batch = zoom.update_many(["ada@example.com"] * 50, "activate")
            results = []
            with pytest.raises(expected):
                async for result in batch:
                    results.append(result)
            assert batch.code is zus.Code.TOKEN and {result.code for result in results} == {zus.Code.TOKEN}

    run(main())


def test_a_token_provider_cannot_call_its_own_client(sandbox: Sandbox) -> None:
    async def main() -> None:
        async def provide(rejected: bool) -> str:
            await zoom.deactivate("ada@example.com")
            raise AssertionError

        async with client(sandbox, token_provider=provide) as zoom:
            began = time.monotonic()
            with pytest.raises(zus.ReentrantError):
                await zoom.activate("ada@example.com")
            assert time.monotonic() - began < 5

    run(main())


def test_log_lines_come_in_the_loop(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "zoom_user_status")

    async def main() -> None:
        async with client(sandbox) as zoom:
            await zoom.activate("ada@example.com")

    run(main())
    assert "HTTP 204" in caplog.text and "sandbox-token" not in caplog.text
    assert {record.threadName for record in caplog.records} == {"MainThread"}


def test_a_client_works_in_one_loop_after_another(sandbox: Sandbox) -> None:
    zoom = client(sandbox)

    async def call() -> bool:
        return (await zoom.activate("ada@example.com")).ok

    async def leave_one_behind() -> None:
        asyncio.ensure_future(zoom.deactivate("answer-never@example.com"))
        await asyncio.sleep(0.1)

    assert run(call()) and run(call())
    asyncio.run(leave_one_behind())  # this cancels the call
    assert run(call())

    async def another() -> None:
        task = asyncio.ensure_future(zoom.deactivate("answer-never@example.com"))
        await asyncio.sleep(0.1)
        errors: List[BaseException] = []

        def elsewhere() -> None:
            try:
                asyncio.run(zoom.activate("ada@example.com"))
            except RuntimeError as error:
                errors.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert "another event loop" in str(errors[0])
        task.cancel()

    run(another())
    assert run(call())


def test_a_busy_loop_delays_no_request(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox("--users", "200")

    async def main() -> None:
        async with client(sandbox, concurrency=8) as zoom:
            calls = [asyncio.create_task(zoom.activate(f"user{number:05}@example.com")) for number in range(1, 101)]
            await asyncio.sleep(0)
            time.sleep(1)
            assert sandbox.ledger()["requests"] == 100
            assert all(result.ok for result in await asyncio.gather(*calls))

    run(main())


def test_results_are_freed_without_the_garbage_collector(sandbox: Sandbox) -> None:
    if sys.platform != "linux":
        pytest.skip("needs /proc")

    async def main() -> None:
        async def one_round() -> None:
            for _ in range(20):
                zoom = client(sandbox)
                await zoom.activate("ada@example.com")
                await zoom.aclose()

        await one_round()
        await asyncio.sleep(1.5)  # libzus's threads end after a second without work, and free what they hold
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            await one_round()
        await asyncio.sleep(1.5)
        assert len(os.listdir("/proc/self/fd")) <= before + 4

    import gc

    gc.disable()  # results must be freed without it
    try:
        run(main())
    finally:
        gc.enable()


# ---- each of these runs in its own program

SETUP = """
import asyncio, os, signal, sys, threading, time, warnings
import zoom_user_status as zus
zoom = zus.AsyncClient.from_env(rate=None, backoff=(0.01, 0.05), timeout=60, concurrency=4)
async def pending(count=100):
    tasks = [asyncio.ensure_future(zoom.deactivate("answer-never@example.com")) for _ in range(count)]
    await asyncio.sleep(0.2)
    return tasks
"""


def program(sandbox: Sandbox, text: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", *options, "-c", SETUP + textwrap.dedent(text)],
        env=clean_env(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


TIMES = int(os.environ.get("ZUS_EXITS", "3"))
EXITS = {
    "return": ("async def main(): tasks = await pending()\nasyncio.run(main())", 0),
    "exception": ("async def main(): tasks = await pending(); 1 / 0\nasyncio.run(main())", 1),
    "sys.exit": ("async def main(): tasks = await pending(); sys.exit(3)\nasyncio.run(main())", 3),
    "os._exit": ("async def main(): tasks = await pending(); os._exit(4)\nasyncio.run(main())", 4),
    "in a batch": ("async def main():\n  await pending(1)\n  async for r in zoom.update_many(['answer-slow-20@example.com'] * 999, 'activate'): 1 / 0"
                   "\nasyncio.run(main())", 1),
    "with a logger": ("import logging; logging.basicConfig(level=1, stream=open(os.devnull, 'w'))\nzoom = zus.AsyncClient.from_env(rate=None)\n"
                      "async def main(): tasks = [asyncio.ensure_future(zoom.activate('answer-slow-5@example.com')) for _ in range(500)]; "
                      "await asyncio.sleep(0.2)\nasyncio.run(main())", 0),
    "with a provider": ("async def never(rejected): await asyncio.sleep(99)\nzoom = zus.AsyncClient.from_env({'ZOOM_ACCESS_TOKEN': 'x'})\n"
                        "zoom = zus.AsyncClient(token_provider=never, base_url=os.environ['ZOOM_API_URL'])\n"
                        "async def main(): tasks = await pending()\nasyncio.run(main())", 0),
    "a loop that is dropped": ("loop = asyncio.new_event_loop(); tasks = loop.run_until_complete(pending())", 0),
    "a thread's loop": ("async def main(): await pending(); await asyncio.sleep(99)\n"
                        "threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start(); time.sleep(0.5)", 0),
}


@pytest.mark.parametrize("way", EXITS)
def test_pending_calls_never_delay_the_exit(sandbox: Sandbox, way: str) -> None:
    text, status = EXITS[way]
    for _ in range(TIMES):
        began = time.monotonic()
        code, _, err = ended(program(sandbox, text))
        assert code == status, err
        assert not any(word in err for word in ("Fatal", "panic", "Segmentation", "never awaited")), err
        assert time.monotonic() - began < 15  # the calls take 20 or more


@posix
def test_ctrl_c_with_pending_calls(sandbox: Sandbox) -> None:
    for _ in range(TIMES):
        process = program(
            sandbox,
            """
            async def main():
                tasks = await pending()
                print("calling", flush=True)
                await asyncio.gather(*tasks)
            asyncio.run(main())
            """,
        )
        until(process, "calling")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
        assert code == -signal.SIGINT and "KeyboardInterrupt" in err and "Fatal" not in err
        assert time.monotonic() - began < 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_fork(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        warnings.simplefilter("error")
        async def main():
            tasks = [asyncio.ensure_future(zoom.activate("answer-slow-300@example.com")) for _ in range(3)]
            assert (await zoom.activate("ada@example.com")).ok
            await asyncio.gather(*tasks)
        asyncio.run(main())
        async def child():
            batch = zoom.update_many(["ada@example.com"], "activate")
            for call in (zoom.deactivate("ada@example.com"), zoom.status("ada@example.com"), zoom.check_credentials(), batch.__anext__()):
                try:
                    await call
                except zus.ForkedError as error:
                    print(error)
            await zoom.aclose()
            async with zus.AsyncClient.from_env() as other:
                print((await other.deactivate("ada@example.com")).ok)
        time.sleep(2)           # then libzus has no threads, and Python does not warn about them
        pid = os.fork()
        if pid == 0:
            asyncio.run(child())
            sys.exit(0)
        print(os.waitpid(pid, 0)[1], asyncio.run(zoom.activate("ada@example.com")).ok)
        """,
    )
    code, out, err = ended(process)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert len(lines) == 6 and all("ZUS_ERR_FORKED" in line for line in lines[:4]) and lines[4:] == ["True", "0 True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_the_parent_of_a_fork_loses_no_result(sandbox: Sandbox) -> None:
    process = program(
        sandbox,
        """
        async def main():
            tasks = [asyncio.ensure_future(zoom.activate("answer-slow-300@example.com")) for _ in range(12)]
            await asyncio.sleep(0.1)
            pid = os.fork()
            if pid == 0:
                for task in tasks:
                    task.cancel()
                os._exit(0)
            print(os.waitpid(pid, 0)[1], sum(result.ok for result in await asyncio.gather(*tasks)))
        asyncio.run(main())
        """,
        "-W",
        "ignore:This process",
    )
    assert ended(process) == (0, "0 12\n", "")


def test_asyncio_is_imported_when_it_is_used(sandbox: Sandbox) -> None:
    text = "import sys, zoom_user_status; print('asyncio' in sys.modules, hasattr(zoom_user_status, 'AsyncClient'), 'asyncio' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", text], env=clean_env(sandbox), stdout=subprocess.PIPE, text=True, check=True).stdout
    assert out == "False True True\n"
