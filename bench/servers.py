# SPDX-License-Identifier: ISC
"""The servers that are compared: for each its command line and its port, configured as its manual
says for speed, with one worker and without an access log. Their files go into a directory of theirs."""

import os

from process import free_port

MANY = 1000000000


def program(args, name, port, *more):
    """One of the benchmark's own: limit, evhttp, responder."""
    return [args.programs / name, port, *more], port


def relay(args, directory, material, upstream, *, stores=(), threads=1, options="", issuer=""):
    """ocsprelay; upstream: port of the responder."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    config = directory / "relay.conf"
    config.write_text(f'''
listen = {{"127.0.0.1:{port}"}}
admin = "unix:{directory}/admin"
user = ""
issuer_dir = ""
threads = {threads}
store = {{{", ".join(f'"{store}"' for store in stores)}}}
cache {{ memory = 16G }}
redis {{ timeout = 1s }}
limits {{
    max_requests_per_connection = {MANY}
    max_connections = 100000
    max_connections_per_address = 100000
    idle_timeout = 1h
}}
{options}
issuer "bench" {{
    certificate = {{"{material}/ca.pem"}}
    responders = {{"http://127.0.0.1:{upstream}/"}}
    max_refresh_interval = 30d
    {issuer}
}}
''')
    return [args.relay, "serve", "-c", config], port


def haproxy(directory, origin):
    directory.mkdir()
    port = free_port()
    config = directory / "haproxy.cfg"
    config.write_text(f'''
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
cache ocsp
    total-max-size 64
    max-object-size 100000
    max-age 3600
frontend front
    bind 127.0.0.1:{port}
    http-request cache-use ocsp
    http-response cache-store ocsp
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
''')
    return ["haproxy", "-db", "-f", config], port


NGINX_CACHE = """
            proxy_cache ocsp;
            proxy_cache_methods GET HEAD POST;
            proxy_cache_key "$request_method$request_uri$request_body";
"""


def nginx(directory, origin, location=NGINX_CACHE):
    """location: what else stands there; without the cache it passes everything on."""
    directory.mkdir()
    port = free_port()
    config = directory / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(f'''
{user}
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.err;
events {{ worker_connections 4000; }}
http {{
    access_log off; keepalive_requests {MANY}; client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/temp; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u;
    scgi_temp_path {directory}/s; client_body_buffer_size 16k; client_body_in_single_buffer on;
    proxy_cache_path {directory}/cache keys_zone=ocsp:10m;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests {MANY}; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            {location}
        }}
    }}
}}
''')
    return ["nginx", "-c", config, "-p", directory], port


def varnish(directory, origin):
    directory.mkdir()
    port = free_port()
    vcl = directory / "default.vcl"
    vcl.write_text(f'vcl 4.1;\nbackend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}\n')
    return ["varnishd", "-F", "-j", "none", "-n", directory / "work", "-f", vcl,
            "-a", f"127.0.0.1:{port}", "-s", "malloc,64m", "-p", "thread_pools=1"], port


def redis(directory):
    directory.mkdir()
    port = free_port()
    return ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly",
            "no", "--dir", directory], port
