"""Many calls at once in one asyncio loop: python_async.py zus|httpx API CALLS. Prints the seconds they took and by how many a 10 ms
timer of the same loop was late at the most."""

import asyncio
import sys
import time

kind, api, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
TOKEN = "sandbox-token"
users = [f"user{number:05}@example.com" for number in range(1, calls + 1)]


async def with_zus():
    from zoom_user_status import AsyncClient

    async with AsyncClient(TOKEN, base_url=api, rate=None, concurrency=calls) as zoom:
        return await measured(lambda user: zoom.deactivate(user), lambda result: result.http_status)


async def with_httpx():
    import httpx

    limits = httpx.Limits(max_connections=calls)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, limits=limits, timeout=60) as client:
        send = lambda user: client.put(f"{api}/users/{user}/status", json={"action": "deactivate"})
        return await measured(send, lambda response: response.status_code)


async def measured(send, status):
    late = 0.0

    async def tick():
        nonlocal late
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - due)

    ticks = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    began = time.monotonic()
    responses = await asyncio.gather(*(send(user) for user in users))
    took = time.monotonic() - began
    ticks.cancel()
    assert [status(response) for response in responses] == [204] * calls
    return took, late


took, late = asyncio.run({"zus": with_zus, "httpx": with_httpx}[kind]())
print(f"{took:.6f} {late:.6f}")
