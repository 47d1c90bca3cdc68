/* SPDX-License-Identifier: ISC */
/*
 * Every subcommand: COMMAND(name, arguments, text, help of its options).
 * An option's help is one line per option; the parser of each command has the same names.
 */
COMMAND(serve, "[-c FILE]", "run the relay in the foreground",
	"  -c, --config FILE     configuration (default " CONFIG_DEFAULT_PATH ")\n")
COMMAND(check, "[-c FILE] [--json]", "read configuration and certificates, print what was understood, and every error",
	"  -c, --config FILE     configuration (default " CONFIG_DEFAULT_PATH ")\n"
	"      --json            print JSON\n")
COMMAND(query, "[--url URL] [--issuer CA.pem] [--nonce] [--hash ALG] [--method METHOD] [--out FILE] [--timeout SECONDS] [--json] CERT.pem", "ask for a certificate's status, verify the answer, print it",
	"      --url URL         whom to ask: the relay; default: the responder named in the certificate\n"
	"      --issuer FILE     the CA's certificate; default: found in CERT.pem\n"
	"      --nonce           send a nonce\n"
	"      --hash ALG        of the CertID: sha1 (default), sha224, sha256, sha384, sha512\n"
	"      --method METHOD   auto (default), get or post\n"
	"      --out FILE        also write the DER of the response to FILE\n"
	"      --timeout SECONDS for the whole query, default 10\n"
	"      --json            print JSON\n")
COMMAND(verify, "--issuer CA.pem [--cert CERT.pem | --request REQ.der] [--at TIME] [--trusted FILE] [--json] RESPONSE.der", "judge a response file exactly as the relay would",
	"      --issuer FILE     the CA's certificate\n"
	"      --cert FILE       the certificate in question\n"
	"      --request FILE    the OCSP request in question, DER\n"
	"      --at TIME         2026-01-31T12:00:00Z or seconds since 1970; default: now\n"
	"      --trusted FILE    certificates trusted to sign for the CA\n"
	"      --json            print JSON\n")
