#!/usr/bin/env python3
"""The other end of the fetch and push benchmarks: pages prepared beforehand, answers made by rule.

    GET  /pages?cursor=N        page N: {"data": [row × per_page], "next": N+1 or null}
    POST /batch                 every row "ok", after --latency milliseconds
Prints its port.  Its own CPU time is not part of any figure: the benchmarks count the client's alone.
"""
import argparse
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY = re.compile(rb'"__ondatra_rowid":(\d+),"__ondatra_change_type":"(\w+)"')


def make_row(i):
    return {"id": i, "customer_id": i * 7 % 100003, "email": f"user{i}@example.com", "name": f"Customer number {i}",
            "amount": i % 10000 / 100, "quantity": i % 17, "active": i % 3 == 0, "country": ("SE", "NO", "DK", "FI")[i % 4],
            "created_at": f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}T{i % 24:02}:00:00Z", "note": "x" * (i % 40)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--per-page", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0)
    options = parser.parse_args()
    pages = []
    count = options.rows // options.per_page if options.rows else 0
    for number in range(count):
        rows = [make_row(number * options.per_page + i) for i in range(options.per_page)]
        pages.append(json.dumps({"data": rows, "next": number + 1 if number + 1 < count else None}, separators=(",", ":")).encode())
    received = {"rows": 0, "batches": 0}
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def log_message(self, *args):
            pass

        def answer(self, payload):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()

        def do_GET(self):
            url = urlsplit(self.path)
            time.sleep(options.latency / 1000)
            if url.path == "/received":
                return self.answer(json.dumps(received).encode())
            return self.answer(pages[int(parse_qs(url.query).get("cursor", ["0"])[0])])

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(options.latency / 1000)
            keys = KEY.findall(body)
            with lock:
                received["rows"] += len(keys)
                received["batches"] += 1
            self.answer(b"{" + b",".join(b'"%s:%s":"ok"' % key for key in keys) + b"}")

    ThreadingHTTPServer.request_queue_size = 128  # 5 by default: eight workers at once lose a SYN, and a second with it
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
