"""Prints how many responses of 10 MiB a second a server gives to four clients that throw the bytes away at once.

    drain.py PORT PATH SECONDS

The kernel discards what MSG_TRUNC receives without copying it, so that the server is measured and not its client.
"""

import select
import socket
import sys
import time

BODY = 10 * 1024 * 1024
CLIENTS = 4


class Client:
    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port))
        # HTTP/1.0: the end of the connection ends the body, whoever wrote it and however.
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        self.received = -1

    def receive(self):
        """True at the end of a response."""
        if self.received < 0:
            head, separator, body = self.socket.recv(65536).partition(b"\r\n\r\n")
            if not separator or b" 200 " not in head.split(b"\r\n")[0]:
                sys.exit(f"not the response that was expected: {head[:200]!r}")
            self.received = len(body)
            return False
        count = self.socket.recv_into(scratch, len(scratch), socket.MSG_TRUNC)
        self.received += count
        if count == 0 and self.received != BODY:
            sys.exit(f"a body of {self.received} bytes")
        return count == 0


scratch = bytearray(4 * 1024 * 1024)
port, path, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
poll = select.epoll()
clients = {}


def connect():
    client = Client(port, path)
    clients[client.socket.fileno()] = client
    poll.register(client.socket, select.EPOLLIN)


responses = 0
start = time.monotonic()
for _ in range(CLIENTS):
    connect()
while (now := time.monotonic()) < start + seconds:
    for descriptor, _ in poll.poll(5) or sys.exit("no byte for 5 seconds"):
        if clients[descriptor].receive():
            responses += 1
            poll.unregister(descriptor)
            clients.pop(descriptor).socket.close()
            connect()
# What is on its way counts, or a slow server would be measured by whole responses.
parts = sum(max(client.received, 0) for client in clients.values()) / BODY
print(f"{(responses + parts) / (now - start):.2f}")
