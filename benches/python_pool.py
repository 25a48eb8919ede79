"""A leavers' list as one would write it with requests and a thread pool: python_pool.py API USERS THREADS. Prints the seconds it took
and how many were done."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

api, users, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
local = threading.local()


def deactivate(user_id):
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.headers["Authorization"] = "Bearer sandbox-token"
    answer = local.session.put(f"{api}/users/{user_id}/status", json={"action": "deactivate"}, timeout=60)
    return answer.status_code == 204


start = time.monotonic()
with ThreadPoolExecutor(threads) as pool:
    done = sum(pool.map(deactivate, (f"user{i:05}@example.com" for i in range(1, users + 1))))
print(f"{time.monotonic() - start:.6f} {done}")
