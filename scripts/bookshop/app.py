#!/usr/bin/python3
import http.server
import subprocess

VERSION = "1.0.0"
SQL = "select count(*) from book"


class Bookshop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = subprocess.run(["psql", "-Atc", SQL, "bookshop"], capture_output=True, text=True)
        self.send_response(200 if found.returncode == 0 else 500)
        self.end_headers()
        self.wfile.write(f"bookshop {VERSION}: {found.stdout.strip()} books\n".encode())

    def log_message(self, *said):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Bookshop).serve_forever()
