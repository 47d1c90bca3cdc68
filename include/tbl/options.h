/* SPDX-License-Identifier: ISC */
/*
 * Every configuration option, by section.
 *
 * OPTION(name, type, default, minimum, maximum, help)
 *   TEXT     a string                       LIST    a list of strings
 *   NUMBER   whole number                   RATIO   number with a fraction
 *   SIZE     octets, with K, M, G           TIME    with ms, s, m, h, d (bare: seconds); kept in ms
 *   FLAG     on | off                       CHOICE  one of the words in the default's column,
 *                                                   the first is the default
 * Defaults are written as in the file; a LIST's items are separated by blanks, its minimum is the
 * number of items. A CHOICE's member is the index of the word.
 */
/* clang-format off */
#ifdef OPTIONS_TOP
OPTION(listen, LIST, "127.0.0.1:8080 [::1]:8080", 1, 0, "where clients are served: host:port, *:port, unix:/path, or systemd for the sockets that systemd passes")
OPTION(admin, TEXT, "127.0.0.1:8081", 0, 0, "where metrics, health and status are served: host:port or unix:/path; empty: nowhere")
OPTION(admin_token_file, TEXT, "", 0, 0, "file whose first line is the token by which purge, refresh, warm, import, rehearse and reload are allowed over TCP; empty: only over a Unix socket")
OPTION(threads, NUMBER, "0", 0, 256, "front threads; 0: one per core")
OPTION(back_threads, NUMBER, "1", 1, 64, "back threads: fetching, verifying, storing")
OPTION(hook, TEXT, "", 0, 0, "absolute path of a program that is run, without a shell, for each of hook_events, with the event's fields in its environment; empty: none")
OPTION(hook_events, LIST, "responder-down responder-up status-changed runway-short rehearsal-begun rehearsal-ended", 0, 0, "log events that the hook is run for: some of those of the default")
OPTION(hook_timeout, TIME, "30s", 100, 3600000, "for the hook to end; then it is killed")
OPTION(user, TEXT, "ocsprelay", 0, 0, "user to change to when started as root; empty: stay")
OPTION(issuer_dir, TEXT, "/etc/ocsprelay/issuers.d", 0, 0, "directory of CA certificates, and of leaf certificates that teach the responder's URL; empty: none")
OPTION(watch_dir, TEXT, "", 0, 0, "directory of certificates that are always kept warm: fetched at start, refreshed whether anybody asks or not; empty: none")
OPTION(allow, LIST, "0.0.0.0/0 ::/0", 0, 0, "client networks that are served; others are disconnected")
OPTION(store, LIST, "lmdb:/var/lib/ocsprelay", 0, 0, "stores behind the memory cache, asked in order, those on disk before shared ones, written through: lmdb:/directory, redis://[user@]host:port/db, rediss://..., redis+unix:/path, redis+sentinel://host,host/name/db, redis+cluster://host,host; {} keeps answers in memory only")
#endif
#ifdef OPTIONS_CACHE
OPTION(memory, SIZE, "64M", 1048576, 1099511627776, "memory for verified responses")
OPTION(negative_entries, NUMBER, "10000", 0, 10000000, "failures remembered for a short time; 0: none")
#endif
#ifdef OPTIONS_REDIS
OPTION(timeout, TIME, "50ms", 5, 10000, "for a look-up in Redis; then the store is passed over")
OPTION(password_file, TEXT, "", 0, 0, "file that holds the password for Redis, of the user that the store's URL names or of the default user; empty: none")
OPTION(read_from, CHOICE, "master replicas", 0, 0, "replicas: records are read from the replicas that the sentinels name, if they keep up, and from the master what they lack; master: all goes there")
OPTION(sentinel_user, TEXT, "", 0, 0, "user at the sentinels; empty: the default user")
OPTION(sentinel_password_file, TEXT, "", 0, 0, "file that holds the password for the sentinels; empty: none")
OPTION(prefix, TEXT, "ocspr", 0, 0, "what all keys and channels in Redis begin with, before a colon")
#endif
#ifdef OPTIONS_LOG
OPTION(format, CHOICE, "logfmt json", 0, 0, "logfmt or json")
OPTION(level, TEXT, "notice", 0, 0, "error, warning, notice, info or debug")
OPTION(target, TEXT, "stderr", 0, 0, "stderr, syslog, or the absolute path of a file")
OPTION(access, CHOICE, "off on errors", 0, 0, "log each request, or only those that were not answered with a response, whatever level says")
OPTION(access_sample, NUMBER, "1", 1, 1000000000, "with access = on: of the requests that were answered with a response, log one in so many; others always")
OPTION(request_id, FLAG, "off", 0, 0, "tell clients the id that their request has in the access log: in the detail of Cache-Status, as id:ID")
#endif
#ifdef OPTIONS_LIMITS
OPTION(max_request_line, SIZE, "8192", 256, 65536, "octets of an HTTP request line; longer: 414")
OPTION(max_header_bytes, SIZE, "16384", 256, 65536, "octets of an HTTP header section; larger: 431")
OPTION(max_headers, NUMBER, "64", 4, 1000, "header fields of a request; more: 431")
OPTION(max_request_body, SIZE, "16384", 128, 65536, "octets of an OCSP request by POST; larger: 413")
OPTION(max_certids, NUMBER, "8", 1, 8, "certificates asked about in one OCSP request; more: malformedRequest")
OPTION(max_extensions, NUMBER, "16", 1, 256, "extensions in each list of an OCSP request; more: malformedRequest")
OPTION(max_upstream_response, SIZE, "128K", 1024, 16777216, "octets of a responder's answer; larger ones are refused")
OPTION(max_connections, NUMBER, "4096", 1, 1000000, "client connections at once; beyond, the one idle for longest is closed; never more than three quarters of the descriptors that the process may have")
OPTION(max_connections_per_address, NUMBER, "256", 1, 1000000, "client connections at once from one address (IPv6: from one /64); further ones are closed")
OPTION(max_requests_per_connection, NUMBER, "1000", 1, 1000000000, "requests on one connection before it is closed")
OPTION(max_waiters, NUMBER, "1024", 1, 1000000, "clients that wait for one fetch; more: tryLater")
OPTION(miss_rate_per_client, NUMBER, "0", 0, 1000000, "requests per second of one address (IPv6: of one /64) that need a fetch, in bursts of up to twice as many; more: tryLater; 0: no limit")
OPTION(header_timeout, TIME, "5s", 10, 3600000, "for a request head to arrive; later: 408")
OPTION(body_timeout, TIME, "5s", 10, 3600000, "for a request body to arrive; later: 408")
OPTION(idle_timeout, TIME, "30s", 10, 86400000, "for the next request on a kept connection")
OPTION(write_timeout, TIME, "10s", 10, 3600000, "for a client to take an answer")
OPTION(drain_timeout, TIME, "10s", 0, 3600000, "for requests under way to end after SIGTERM")
#endif
#ifdef OPTIONS_ISSUER
OPTION(method, CHOICE, "auto get post", 0, 0, "how responders are asked: auto is GET while the URL stays within 255 octets")
OPTION(nonce, CHOICE, "auto ignore forward reject", 0, 0, "what to do with a client's nonce")
OPTION(refresh_ratio, RATIO, "0.5", 0.05, 0.95, "part of a response's validity after which it is fetched again")
OPTION(min_refresh_interval, TIME, "60s", 1000, 86400000, "fetch no sooner again than after this")
OPTION(max_refresh_interval, TIME, "12h", 1000, 2592000000, "fetch again at the latest after this: how long a revocation may stay unseen")
OPTION(expiry_margin, TIME, "300s", 0, 86400000, "before the end of a response's validity, refresh first and answer then")
OPTION(clock_skew, TIME, "300s", 0, 86400000, "how far a responder's clock may be ahead of ours")
OPTION(no_next_update_ttl, TIME, "0s", 0, 300000, "keep responses without nextUpdate for this long")
OPTION(unknown_max_ttl, TIME, "300s", 1000, 86400000, "keep signed answers of status unknown no longer than this")
OPTION(neg_ttl_unauthorized, TIME, "60s", 0, 3600000, "repeat a responder's unauthorized for this long; 0: never")
OPTION(neg_ttl_error, TIME, "5s", 0, 300000, "repeat tryLater and internalError for this long; 0: never")
OPTION(weak_signature, CHOICE, "pass-uncached accept reject", 0, 0, "what to do with SHA-1 signatures and RSA keys below 2048 bits")
OPTION(proxy, TEXT, "", 0, 0, "HTTP proxy for the responders; empty: as http_proxy and no_proxy of the environment say; none: no proxy")
OPTION(max_inflight, NUMBER, "64", 1, 10000, "fetches at once from this issuer's responders; four times as many may wait")
OPTION(connect_timeout, TIME, "2s", 10, 60000, "for a connection to a responder")
OPTION(attempt_timeout, TIME, "5s", 10, 600000, "for one responder's whole answer")
OPTION(probe_interval, TIME, "10s", 1000, 3600000, "while no responder of the issuer works, try one refresh again at the latest after this")
OPTION(runway_warning, TIME, "1h", 0, 31536000000, "while no responder of the issuer works, warn when the first answer in use runs out sooner than this; 0: never")
OPTION(request_deadline, TIME, "8s", 10, 600000, "for a client's answer; then tryLater, while the fetch goes on")
#endif
#ifdef OPTIONS_ISSUER_OWN /* only inside an issuer section, not in defaults */
OPTION(certificate, LIST, "", 0, 0, "files of CA certificates, PEM or DER")
OPTION(responders, LIST, "", 0, 0, "URLs of the OCSP responders in order of preference; none: as learnt from leaf certificates")
OPTION(trusted_responders, LIST, "", 0, 0, "files of certificates trusted to sign for this issuer")
#endif
