/* SPDX-License-Identifier: ISC */
/*
 * Every oddity of a responder's answer that is let pass: counted, and told to the log once an hour.
 *
 * ODDITY(id, label, text)
 *   label  value of the metric's label `oddity` and of the log's field `what`
 */
ODDITY(MIXED_ISSUERS, "mixed_issuers", "it speaks of certificates of other issuers too, which OpenSSL's clients refuse")
ODDITY(OTHER_HASH, "other_hash", "its CertID has another hash algorithm than was asked with, which some clients refuse")
ODDITY(EARLY_PRODUCED_AT, "early_produced_at", "producedAt is before thisUpdate")
ODDITY(VALIDITY_INTERVAL, "validity_interval", "from thisUpdate to nextUpdate it is less than 8 hours or more than 10 days (CA/B Forum BR 4.9.9)")
ODDITY(NO_NOCHECK, "no_nocheck", "the delegate's certificate lacks id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1)")
ODDITY(SIZE, "size", "it is larger than 16 KiB, where buffers of some clients end")
ODDITY(CLOCK, "clock", "the responder's Date is further from our clock than clock_skew: one of the two is wrong")
