"""The same PUT from Python: python_call.py zus|requests|pycurl|httpx API CALLS CA. Prints what the C programs print: the seconds of
wall and CPU time a call, without the first tenth of the calls, which warms up. All send JSON."""

import sys
import time

name, api, calls, ca = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
USER_ID = "user00001@example.com"
URL = f"{api}/users/{USER_ID}/status"
HEADERS = {"Authorization": "Bearer sandbox-token"}
BODY = {"action": "deactivate"}

if name == "zus":
    from zoom_user_status import Client

    client = Client("sandbox-token", base_url=api, rate=None, encoding="json", ca_file=ca)

    def call():
        assert client.deactivate(USER_ID).http_status == 204

elif name == "requests":
    import requests

    session = requests.Session()
    session.headers.update(HEADERS)
    session.verify = ca

    def call():
        assert session.put(URL, json=BODY, timeout=60).status_code == 204

elif name == "httpx":
    import ssl

    import httpx

    session = httpx.Client(headers=HEADERS, verify=ssl.create_default_context(cafile=ca))

    def call():
        assert session.put(URL, json=BODY, timeout=60).status_code == 204

elif name == "pycurl":
    import json

    import pycurl

    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, URL)
    curl.setopt(pycurl.CUSTOMREQUEST, "PUT")
    curl.setopt(pycurl.HTTPHEADER, [f"{k}: {v}" for k, v in HEADERS.items()] + ["Content-Type: application/json"])
    curl.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    curl.setopt(pycurl.CAINFO, ca)

    def call():
        curl.setopt(pycurl.POSTFIELDS, json.dumps(BODY))
        curl.perform()
        assert curl.getinfo(pycurl.RESPONSE_CODE) == 204


warm = calls // 10
for i in range(calls):
    if i == warm:
        wall, cpu = time.monotonic(), time.process_time()
    call()
wall, cpu = time.monotonic() - wall, time.process_time() - cpu
print(f"{wall / (calls - warm):.9f} {cpu / (calls - warm):.9f}")
