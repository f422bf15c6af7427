#!/usr/bin/env python3
"""crowd.py PORT N OCTETS: N clients that send that many octets of NOOP, read nothing, and stay."""
import socket
import sys
import time

port, count, octets = (int(a) for a in sys.argv[1:])
crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
for one in crowd:
    one.sendall((b"NOOP\r\n" * (octets // 6 + 1))[:octets])
print("there", flush=True)
time.sleep(3600)
