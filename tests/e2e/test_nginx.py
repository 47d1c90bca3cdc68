# SPDX-License-Identifier: ISC
"""nginx, which gets its staples from the relay."""

import contextlib
import signal
import socket
import subprocess
import threading
import time

from clients import call, field_of
from pki import parse_response, request
from relay import environment, until


class Nginx:
    def __init__(self, binary, files, responder_url, name="good"):
        self.directory = files.directory / "nginx"
        self.directory.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        where = self.directory
        conf = where / "nginx.conf"
        conf.write_text(f"""
            daemon off; master_process off; worker_processes 1; pid {where}/pid;
            error_log stderr info;
            events {{ }}
            http {{
              access_log off;
              client_body_temp_path {where}/a; proxy_temp_path {where}/b;
              fastcgi_temp_path {where}/c; uwsgi_temp_path {where}/d; scgi_temp_path {where}/e;
              server {{
                listen 127.0.0.1:{self.port} ssl;
                ssl_certificate {files.path(name + "-chain.pem")};
                ssl_certificate_key {files.path(name + ".key")};
                ssl_stapling on; ssl_stapling_verify on;
                ssl_trusted_certificate {files.path("chain.pem")};
                ssl_stapling_responder {responder_url};
                location / {{ return 204; }}
              }}
            }}
            """)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([binary, "-p", str(where), "-c", str(conf)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=environment())
        self.log = b""
        threading.Thread(target=self._read, daemon=True).start()
        until(self._listens, what="nginx")

    def _read(self):
        for line in self.process.stderr:
            self.log += line

    def _listens(self):
        assert self.process.poll() is None, self.log.decode()
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def staple(self, openssl, files):
        """What s_client -status says, once there is a staple: the first handshake only makes
        nginx fetch it."""
        def shown():
            result = call(openssl, "s_client", "-connect", f"127.0.0.1:{self.port}",
                          "-servername", "localhost", "-CAfile", files.path("root.crt"), "-status")
            return result.stdout if "OCSP Response Data" in result.stdout else None
        return until(shown, what=f"a staple\n{self.log.decode()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def test_nginx_stapling(relayed, program):
    """And again with the CA's responder stopped, nginx restarted so that it must ask the relay."""
    files, relay, responder = relayed
    nginx, openssl = program("nginx"), program("openssl")
    cached = parse_response(relay.get(request(
        files.pki.ca.certid(files.certs["good"].serial))).body)
    for turn in range(2):
        server = Nginx(nginx, files, relay.url)
        try:
            text = server.staple(openssl, files)
        finally:
            server.stop()
        assert field_of(text, "OCSP Response Status") == "successful (0x0)"
        assert field_of(text, "Cert Status") == "good"
        assert int(field_of(text, "Serial Number"), 16) == files.certs["good"].serial
        shown = time.strptime(field_of(text, "Next Update"), "%b %d %H:%M:%S %Y GMT")
        assert time.strftime("%F %T", shown) == str(cached.next_update)
        assert responder.count() == 1  # the relay had it
        if turn == 0:
            assert relay.metric("requests_total", method="get", result="hit") >= 1
            responder.stop()


def test_nginx_stapling_of_a_miss_after_a_restart(relayed, program):
    files, relay, responder = relayed
    nginx, openssl = program("nginx"), program("openssl")
    server = Nginx(nginx, files, relay.url)
    try:
        server.staple(openssl, files)
        assert responder.count() == 1
    finally:
        server.stop()
    relay.wait_for_stored()
    responder.stop()
    relay.restart()  # a new port: nginx gets a new configuration
    server = Nginx(nginx, files, relay.url)
    try:
        text = server.staple(openssl, files)
        assert field_of(text, "Cert Status") == "good"
    finally:
        server.stop()
