# The application of the reload measurement: says which process loaded it, and when.
import os
import time

stamp = "%d-%d" % (os.getpid(), time.time_ns())


def application(environ, start_response):
    body = b"Hello, world!\n"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("X-Pid", stamp)]
    start_response("200 OK", headers)
    return [body]
