/* SPDX-License-Identifier: ISC */
/*
 * Every subcommand: COMMAND(name, arguments, text, help of its options).
 * An option's help is one line per option; the parser of each command has the same names. What
 * several commands take is said here once: of those that talk to a running relay, REMOTE_ROWS
 * (cmd/remote.h) are the rows.
 */
#define USAGE_REMOTE "[-c FILE | --admin ADDRESS] [--token-file FILE] [--json]"
#define HELP_REMOTE \
	"  -c, --config FILE     of the relay, where its address and token stand (default " CONFIG_DEFAULT_PATH ")\n" \
	"      --admin ADDRESS   of its admin listener: host:port or unix:/path\n" \
	"      --token-file FILE whose first line is the token for it\n" \
	"      --json            print JSON\n"
#define HELP_CONFIG \
	"  -c, --config FILE     configuration (default " CONFIG_DEFAULT_PATH ")\n"
#define HELP_JSON \
	"      --json            print JSON\n"
#define HELP_HASH \
	"      --hash ALG        of the CertID: sha1 (default), sha224, sha256, sha384, sha512\n"
#define HELP_ISSUER \
	"      --issuer NAME     of this issuer, as status and check name it, or its id\n"
#define HELP_SERIAL \
	"      --serial HEX      about this serial number\n"
#define HELP_SELECTION \
	HELP_ISSUER HELP_SERIAL \
	"      --all             everything\n"

COMMAND(serve, "[-c FILE]", "run the relay in the foreground",
	HELP_CONFIG)
COMMAND(check, "[-c FILE] [--json] [--online]", "read configuration and certificates, print what was understood, and every error",
	HELP_CONFIG
	"      --online          also try every responder of every issuer\n"
	HELP_JSON)
COMMAND(query, "[--url URL] [--issuer CA.pem] [--nonce] [--hash ALG] [--method METHOD] [--out FILE] [--timeout SECONDS] [--json] CERT.pem", "ask for a certificate's status, verify the answer, print it",
	"      --url URL         whom to ask: the relay; default: the responder named in the certificate\n"
	"      --issuer FILE     the CA's certificate; default: found in CERT.pem\n"
	"      --nonce           send a nonce\n"
	HELP_HASH
	"      --method METHOD   auto (default), get or post\n"
	"      --out FILE        also write the DER of the response to FILE\n"
	"      --timeout SECONDS for the whole query, default 10\n"
	HELP_JSON)
COMMAND(verify, "--issuer CA.pem [--cert CERT.pem | --request REQ.der] [--at TIME] [--trusted FILE] [--json] RESPONSE.der", "judge a response file exactly as the relay would",
	"      --issuer FILE     the CA's certificate\n"
	"      --cert FILE       the certificate in question\n"
	"      --request FILE    the OCSP request in question, DER\n"
	"      --at TIME         2026-01-31T12:00:00Z or seconds since 1970; default: now\n"
	"      --trusted FILE    certificates trusted to sign for the CA\n"
	HELP_JSON)
COMMAND(explain, "[-c FILE] [--admin ADDRESS] [--token-file FILE] [--json] [--issuer CA.pem] [--hash ALG] [--offline] CERT.pem", "all about one certificate: key, issuer, rule, what is cached, what the responders say now, and the verdict",
	HELP_CONFIG
	"      --admin ADDRESS   of the running relay, if not as in the configuration: host:port or unix:/path\n"
	"      --token-file FILE whose first line is the token for it\n"
	HELP_JSON
	"      --issuer FILE     the CA's certificate; default: found in the configuration or in CERT.pem\n"
	HELP_HASH
	"      --offline         ask no responder\n")
COMMAND(status, USAGE_REMOTE " [--watch [SECONDS]]", "a running relay at a glance",
	HELP_REMOTE
	"      --watch           again and again, with rates, until q or Ctrl-C\n"
	"      SECONDS           between two looks, default 2\n")
COMMAND(list, USAGE_REMOTE " [--issuer NAME] [--serial HEX] [--expiring TIME] [--limit N]", "what a running relay has in memory, first what expires first",
	HELP_REMOTE
	HELP_ISSUER
	HELP_SERIAL
	"      --expiring TIME   within this time: 90m, 6h, 2d\n"
	"      --limit N         so many at most; default 1000, with --json all\n")
COMMAND(purge, USAGE_REMOTE " [--issuer NAME] [--serial HEX] [--all]", "have a running relay, its stores and its fleet forget answers",
	HELP_REMOTE
	HELP_SELECTION)
COMMAND(refresh, USAGE_REMOTE " [--issuer NAME] [--serial HEX] [--all]", "have a running relay fetch now what it has in memory",
	HELP_REMOTE
	HELP_SELECTION)
COMMAND(warm, USAGE_REMOTE " [--tls HOST[:PORT]] [--timeout SECONDS] [PATH...]", "have a running relay fetch what it lacks about these certificates",
	HELP_REMOTE
	"      --tls HOST[:PORT] the certificates that this server presents, port 443; may be given again\n"
	"      --timeout SECONDS for each of these servers, default 10\n"
	"      PATH              a file of certificates, PEM or DER, or a directory of such (- for standard input)\n")
COMMAND(staple, "[-c FILE | --url URL] [--issuer CA.pem] [--dir DIR] [--hook CMD [--shell]] [--follow] [--timeout SECONDS] [--json] CERT.pem...", "write the files from which servers staple, out of a relay's verified answers",
	"  -c, --config FILE     of the relay: its first address and its issuers (default " CONFIG_DEFAULT_PATH ")\n"
	"      --url URL         whom to ask instead; then a configuration is read only with -c\n"
	"      --issuer FILE     the CA's certificate; default: of the configuration, in CERT.pem, or in CERT.pem.issuer\n"
	"      --dir DIR         write DIR/CERT.pem.ocsp; default: CERT.pem.ocsp beside the certificate\n"
	"      --hook CMD        a program to run after changes, with the changed files as its arguments\n"
	"      --shell           CMD is a line for /bin/sh, which finds the changed files in \"$@\"\n"
	"      --follow          stay, and renew each staple in time\n"
	"      --timeout SECONDS for each answer, default 10\n"
	"      --json            print JSON, an object for each round\n"
	"      CERT.pem          a server's certificate, PEM or DER, or a directory of such\n")
COMMAND(issuer, "add [-c FILE] [--dir DIR] [--name NAME] [--tls HOST[:PORT]] [--online] [--dry-run] [--yes] [--replace] [--reload] [--admin ADDRESS] [--token-file FILE] [--timeout SECONDS] [CERT.pem...]", "make the issuer of a certificate, and its responder, known",
	"  -c, --config FILE     of the relay: its issuer_dir and issuers (default " CONFIG_DEFAULT_PATH ")\n"
	"      --dir DIR         where the file goes instead; without -c all that is known lies there\n"
	"      --name NAME       of the file; default: the CA's name and the beginning of its id\n"
	"      --tls HOST[:PORT] also the certificates that this server presents, port 443\n"
	"      --online          ask the responder about the leaf first; without an answer nothing is written\n"
	"      --dry-run         print the file instead of writing it\n"
	"      --yes             take a CA from a TLS server without asking\n"
	"      --replace         a file of this name that has other certificates\n"
	"      --reload          have the running relay take it up at once\n"
	"      --admin ADDRESS   for that: of its admin listener, host:port or unix:/path\n"
	"      --token-file FILE whose first line is the token for it\n"
	"      --timeout SECONDS for a server to answer, default 10\n"
	"      CERT.pem          certificates: of the CA, and of a leaf that names the responder\n")
COMMAND(export, USAGE_REMOTE " [--tier TIER] FILE", "write what a running relay has into a bundle, - for standard output",
	HELP_REMOTE
	"      --tier TIER       memory, disk or redis only\n")
COMMAND(import, USAGE_REMOTE " FILE", "have a running relay verify and keep what is in a bundle, - for standard input",
	HELP_REMOTE)
COMMAND(runway, USAGE_REMOTE, "how long a running relay could do without the responders of each issuer",
	HELP_REMOTE)
COMMAND(rehearse, USAGE_REMOTE " --issuer NAME --for TIME | --stop", "have a running relay behave as if an issuer's responders were down",
	HELP_REMOTE
	HELP_ISSUER
	"      --for TIME        for so long: 90s, 2h, 1d; 30d at most\n"
	"      --stop            not any longer\n")
COMMAND(reload, USAGE_REMOTE, "as SIGHUP: read configuration and certificates anew, and say what came of it",
	HELP_REMOTE)
