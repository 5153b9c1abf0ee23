"""reload.py PORT PATH ENTRY-FILE: touches the entry file and prints the milliseconds until the first answer of new code."""

import http.client
import os
import sys
import time

port, path, entry_file = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def stamp():
    """What the answer says about the process that it came from; None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.getheader("X-Pid") if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


# Every process of the group loads the old code before it is replaced: wait until a second has shown no new one.
known = set()
settled = time.monotonic()
while time.monotonic() - settled < 1:
    seen = stamp()
    if seen not in known:
        known.add(seen)
        settled = time.monotonic()
    time.sleep(0.005)

start = time.monotonic()
os.utime(entry_file)
while True:
    seen = stamp()
    if seen is not None and seen not in known:
        break
    if time.monotonic() - start > 30:
        sys.exit("no new code within 30 seconds of touching " + entry_file)
print("%.1f" % ((time.monotonic() - start) * 1000))
