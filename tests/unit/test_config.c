/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: what each option may say, every error at once with file and line, what is
 * taken when all is well, includes, sections and their inheritance.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ctl/config.h"
#include "ctl/option_value.h"
#include "io/files.h"

static char directory[] = "/tmp/test_config.XXXXXX";
static struct settings *settings;
static struct buf messages;
static char shown[1 << 16];

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	buf_init(&messages, sizeof(shown) - 1);
}

static void tear_down(void)
{
	char command[PATH_MAX + 16];

	settings_free(settings);
	buf_fini(&messages);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(config, .init = set_up, .fini = tear_down);

static void put_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
}

/* Loads name; the messages are in shown. */
static err_t load_file(const char *name)
{
	err_t err;

	settings_free(settings);
	settings = NULL;
	buf_reset(&messages);
	err = config_load(name, &settings, &messages);
	snprintf(shown, sizeof(shown), "%.*s", (int)messages.len,
		 messages.p ? (const char *)messages.p : "");
	cr_assert_eq(err == OK, settings != NULL);
	return err;
}

static err_t load(const char *text)
{
	put_file("c", text);
	return load_file("c");
}

#define EXPECT_MESSAGES(text, expected)                                           \
	do {                                                                      \
		(void)load(text);                                                 \
		cr_expect_str_eq(shown, expected, "%s\ngives:\n%s", text, shown); \
	} while (0)

#define EXPECT_FINE(text)                                                    \
	do {                                                                 \
		cr_assert_eq(load(text), OK, "%s\ngives:\n%s", text, shown); \
		cr_expect_str_eq(shown, "");                                 \
	} while (0)

/* ---- values ---- */

Test(config, empty_file_gives_the_defaults)
{
	struct policy policy;

	EXPECT_FINE("");
	cr_expect_eq(settings->top.listen.n, 2);
	cr_expect_str_eq(settings->top.listen.items[0], "127.0.0.1:8080");
	cr_expect_str_eq(settings->top.listen.items[1], "[::1]:8080");
	cr_expect_str_eq(settings->top.admin, "127.0.0.1:8081");
	cr_expect_str_eq(settings->top.issuer_dir, "/etc/ocsprelay/issuers.d");
	cr_expect_eq(settings->top.store.n, 1);
	cr_expect_eq(settings->cache.memory, 64 << 20);
	cr_expect_eq(settings->log.format, 0);
	cr_expect_eq(settings->log.access, LOG_ACCESS_OFF);
	cr_expect_eq(settings->log.access_sample, 1);
	cr_expect_not(settings->log.request_id);
	cr_expect_eq(settings->limits.header_timeout, 5000);
	cr_expect_eq(settings->limits.max_upstream_response, 131072);
	cr_expect_str_eq(settings->defaults.proxy, "");
	cr_expect_eq(settings->n_issuers, 0);
	settings_policy(&settings->defaults, &policy);
	cr_expect_eq(policy.refresh_ratio, policy_default.refresh_ratio);
}

Test(config, CL_06_policy_of_the_defaults_is_the_documented_one)
{
	struct settings *defaults = settings_default();
	struct policy policy;

	memset(&policy, 0, sizeof(policy));
	cr_assert_not_null(defaults);
	settings_policy(&defaults->defaults, &policy);
	cr_expect_eq(policy.method, policy_default.method);
	cr_expect_eq(policy.nonce, policy_default.nonce);
	cr_expect_eq(policy.weak_signature, policy_default.weak_signature);
	cr_expect_eq(policy.refresh_ratio, policy_default.refresh_ratio);
	cr_expect_eq(policy.min_refresh_interval, policy_default.min_refresh_interval);
	cr_expect_eq(policy.max_refresh_interval, policy_default.max_refresh_interval);
	cr_expect_eq(policy.expiry_margin, policy_default.expiry_margin);
	cr_expect_eq(policy.clock_skew, policy_default.clock_skew);
	cr_expect_eq(policy.no_next_update_ttl, policy_default.no_next_update_ttl);
	cr_expect_eq(policy.unknown_max_ttl, policy_default.unknown_max_ttl);
	cr_expect_eq(policy.neg_ttl_unauthorized, policy_default.neg_ttl_unauthorized);
	cr_expect_eq(policy.neg_ttl_error, policy_default.neg_ttl_error);
	cr_expect_eq(policy.max_inflight, policy_default.max_inflight);
	cr_expect_eq(policy.ms_connect, policy_default.ms_connect);
	cr_expect_eq(policy.ms_attempt, policy_default.ms_attempt);
	cr_expect_eq(policy.ms_deadline, policy_default.ms_deadline);
	settings_free(defaults);
}

Test(config, policy_rounds_to_seconds_upwards)
{
	struct policy policy;

	EXPECT_FINE("store = {'redis+sentinel://a/m', 'lmdb:/a'} redis { read_from = replicas }");
	EXPECT_FINE("defaults { neg_ttl_error = 1ms clock_skew = 1001ms expiry_margin = 0 }");
	settings_policy(&settings->defaults, &policy);
	cr_expect_eq(policy.neg_ttl_error, 1);
	cr_expect_eq(policy.clock_skew, 2);
	cr_expect_eq(policy.expiry_margin, 0);
}

Test(config, words_of_a_choice_are_the_core_s_enums)
{
	static const struct {
		const char *text;
		struct policy policy;
	} cases[] = {
	    {"method = auto nonce = auto weak_signature = pass-uncached",
	     {.method = METHOD_AUTO, .nonce = NONCE_AUTO, .weak_signature = WEAK_PASS_UNCACHED}},
	    {"method = get nonce = ignore weak_signature = reject",
	     {.method = METHOD_GET, .nonce = NONCE_IGNORE, .weak_signature = WEAK_REJECT}},
	    {"method = post nonce = forward",
	     {.method = METHOD_POST, .nonce = NONCE_FORWARD, .weak_signature = WEAK_PASS_UNCACHED}},
	    {"nonce = reject",
	     {.method = METHOD_AUTO, .nonce = NONCE_REJECT, .weak_signature = WEAK_PASS_UNCACHED}},
	};
	char text[256];

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct policy policy;

		snprintf(text, sizeof(text), "defaults { %s }", cases[i].text);
		EXPECT_FINE(text);
		settings_policy(&settings->defaults, &policy);
		cr_expect_eq(policy.method, cases[i].policy.method, "row %zu", i);
		cr_expect_eq(policy.nonce, cases[i].policy.nonce, "row %zu", i);
		cr_expect_eq(policy.weak_signature, cases[i].policy.weak_signature, "row %zu", i);
	}
}

Test(config, sizes_and_times_take_units)
{
	static const struct {
		const char *size;
		uint64_t octets;
	} sizes[] = {{"4096", 4096}, {"4K", 4096}, {"4k", 4096}, {"\"64K\"", 65536}};
	static const struct {
		const char *time;
		int64_t ms;
	} times[] = {{"10ms", 10},	{"1s", 1000},	  {"2m", 120000},
		     {"24h", 86400000}, {"1d", 86400000}, {"30", 30000}};
	char text[256];

	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		snprintf(text, sizeof(text), "limits { max_request_line = %s }", sizes[i].size);
		EXPECT_FINE(text);
		cr_expect_eq(settings->limits.max_request_line, sizes[i].octets, "%s", text);
	}
	for (size_t i = 0; i < N_ELEMENTS(times); i++) {
		snprintf(text, sizeof(text), "limits { idle_timeout = %s }", times[i].time);
		EXPECT_FINE(text);
		cr_expect_eq(settings->limits.idle_timeout, times[i].ms, "%s", text);
	}
}

Test(config, whole_of_a_good_file_is_taken)
{
	EXPECT_FINE("# comment\n"
		    "listen = {\"*:80\", // comment\n"
		    "  'unix:/run/relay', /* comment\n"
		    "  over lines */ systemd}\n"
		    "admin = ''\n"
		    "threads = 4  back_threads = 2\n"
		    "user = \"\" issuer_dir = \"\"\n"
		    "allow = 10.0.0.0/8\n"
		    "allow += {\"2001:db8::/32\"}\n"
		    "store = {}\n"
		    "cache { memory = 1G negative_entries = 0 }\n"
		    "log { format = json level = debug target = '/var/log/x' access = on }\n"
		    "defaults { refresh_ratio = 0.75 proxy = none }\n");
	cr_expect_eq(settings->top.listen.n, 3);
	cr_expect_str_eq(settings->top.listen.items[0], "*:80");
	cr_expect_str_eq(settings->top.listen.items[2], "systemd");
	cr_expect_str_eq(settings->top.admin, "");
	cr_expect_eq(settings->top.threads, 4);
	cr_expect_eq(settings->top.back_threads, 2);
	cr_expect_str_eq(settings->top.user, "");
	cr_expect_str_eq(settings->top.issuer_dir, "");
	cr_expect_eq(settings->top.allow.n, 2);
	cr_expect_str_eq(settings->top.allow.items[1], "2001:db8::/32");
	cr_expect_eq(settings->top.store.n, 0);
	cr_expect_eq(settings->cache.memory, 1 << 30);
	cr_expect_eq(settings->cache.negative_entries, 0);
	cr_expect_eq(settings->log.format, 1);
	cr_expect_str_eq(settings->log.level, "debug");
	cr_expect_str_eq(settings->log.target, "/var/log/x");
	cr_expect_eq(settings->log.access, LOG_ACCESS_ON);
	cr_expect_eq(settings->defaults.refresh_ratio, 0.75);
	cr_expect_str_eq(settings->defaults.proxy, "none");
}

/* What is printed is read back as the same; ranges hold their own default. */
Test(config, every_default_prints_as_the_file_has_it)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	for (const struct option_section *section = option_sections; section->name; section++) {
		const struct option_table *table = &option_tables[section->groups[0]];
		struct settings *defaults = settings_default();
		const void *base = settings_group(defaults, section->groups[0]);

		if (!section->is_titled && section->name[0])
			buf_printf(&text, "%s {\n", section->name);
		for (size_t i = 0; !section->is_titled && i < table->n; i++) {
			buf_printf(&text, "%s = ", table->rows[i].name);
			option_value_print(&table->rows[i], base, &text);
			buf_text(&text, "\n");
		}
		if (!section->is_titled && section->name[0])
			buf_text(&text, "}\n");
		settings_free(defaults);
	}
	buf_append(&text, "", 1);
	EXPECT_FINE((const char *)text.p);
	cr_expect_eq(settings->limits.max_upstream_response, 131072);
	cr_expect_eq(settings->defaults.max_refresh_interval, 12 * 3600 * 1000);
	buf_fini(&text);
}

/* ---- the sample ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '}';
}

/* The sample with every option switched on: "#name" is one, "# text" is prose. */
static void uncomment_sample(const char *to)
{
	char line[512];
	FILE *in = fopen(TOP_SRCDIR "/etc/ocsprelay.conf", "r"), *out = fopen(to, "w");

	cr_assert_not_null(in);
	cr_assert_not_null(out);
	while (fgets(line, sizeof(line), in)) {
		char *sign = line + strspn(line, " \t");

		if (sign[0] == '#' && is_letter(sign[1]))
			sign[0] = ' ';
		fputs(line, out);
	}
	fclose(in);
	fclose(out);
}

static void print_settings(struct settings *all, struct buf *out)
{
	for (unsigned group = GROUP_TOP; group <= GROUP_ISSUER; group++) {
		for (size_t i = 0; i < option_tables[group].n; i++) {
			buf_printf(out, "%s = ", option_tables[group].rows[i].name);
			option_value_print(&option_tables[group].rows[i],
					   settings_group(all, group), out);
			buf_text(out, "\n");
		}
	}
	buf_append(out, "", 1);
}

Test(config, sample_starts_as_it_is)
{
	cr_expect_eq(load_file(TOP_SRCDIR "/etc/ocsprelay.conf"), OK);
	cr_expect_str_eq(shown, "");
	cr_expect_eq(settings->n_issuers, 0);
}

Test(config, sample_shows_every_option_with_its_default)
{
	struct settings *defaults = settings_default();
	struct buf sample, expected, text;

	uncomment_sample("c");
	cr_assert_eq(load_file("c"), OK, "%s", shown);
	cr_expect_str_eq(shown, "");
	buf_init(&sample, 1 << 16);
	buf_init(&expected, 1 << 16);
	buf_init(&text, 1 << 20);
	print_settings(settings, &sample);
	print_settings(defaults, &expected);
	cr_expect_str_eq((char *)sample.p, (char *)expected.p);
	cr_assert_eq(file_read("c", &text), OK);
	buf_append(&text, "", 1);
	for (unsigned group = 0; group < N_GROUPS; group++) {
		for (size_t i = 0; i < option_tables[group].n; i++) {
			char line[128];

			snprintf(line, sizeof(line), " %s = ", option_tables[group].rows[i].name);
			cr_expect_not_null(strstr((char *)text.p, line), "%s", line);
		}
	}
	buf_fini(&sample);
	buf_fini(&expected);
	buf_fini(&text);
	settings_free(defaults);
}

/* ---- errors ---- */

Test(config, errors_say_what_is_wrong_and_what_is_allowed)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"threads = 257", "threads: \"257\" is too large, allowed: 0 to 256"},
	    {"threads = -1", "threads: \"-1\" is no whole number, allowed: 0 to 256"},
	    {"threads = 1.5", "threads: \"1.5\" is no whole number, allowed: 0 to 256"},
	    {"threads = 99999999999999999999",
	     "threads: \"99999999999999999999\" is no whole number, allowed: 0 to 256"},
	    {"threads = ''", "threads: \"\" is no whole number, allowed: 0 to 256"},
	    {"back_threads = 0", "back_threads: \"0\" is too small, allowed: 1 to 64"},
	    {"threads = {1}", "threads: takes one value, not a list"},
	    {"threads += 1", "threads: += is for lists, allowed: ="},
	    {"listen = *:80", "listen: a value with * or + needs quotes"},
	    {"listen = {a:1, *:80}", "listen: a value with * or + needs quotes"},
	    {"listen = {}", "listen: is empty, allowed: at least one item"},
	    {"listen = {'a:1', 'a:1'}", "listen: \"a:1\" stands twice, allowed: once"},
	    {"listen = nonsense", "listen: \"nonsense\" is not understood, allowed: host:port, "
				  "*:port, [address]:port, unix:/path, or systemd"},
	    {"admin = systemd", "admin: \"systemd\" is not understood, allowed: host:port, *:port, "
				"[address]:port, unix:/path, or \"\" for nowhere"},
	    {"allow = {'10.0.0.0/8', '10.0.0.0/33'}",
	     "allow: \"10.0.0.0/33\" is not understood, allowed: a network as 192.0.2.0/24 or "
	     "2001:db8::/32"},
	    {"store = {'nosql://x'}",
	     "store: \"nosql://x\" is not understood, allowed: lmdb:/directory, "
	     "redis://[user@]host:port/db, rediss:// (by TLS), redis+unix:/path, "
	     "redis+sentinel://host,host/name/db, redis+cluster://host,host"},
	    {"store = {'lmdb:relative'}", "store: \"lmdb:relative\" is not understood, allowed: an "
					  "absolute directory after lmdb:"},
	    {"redis { read_from = replica }",
	     "read_from: \"replica\" is unknown, allowed: master or replicas"},
	    {"redis { read_from = replicas }",
	     "read_from: \"replicas\" is only for redis+sentinel:// as the first Redis in store, "
	     "allowed: master"},
	    {"redis { read_from = replicas } store = {'redis+cluster://a', 'redis+sentinel://a/m'}",
	     "read_from: \"replicas\" is only for redis+sentinel:// as the first Redis in store, "
	     "allowed: master"},
	    {"redis { prefix = 'a*' }",
	     "prefix: \"a*\" is not understood, allowed: 1 to 64 letters, "
	     "digits, dots, colons, _ and -"},
	    {"store = {'lmdb:/a', 'lmdb:/a'}", "store: \"lmdb:/a\" stands twice, allowed: once"},
	    {"cache { memory = 64Q }", "memory: \"64Q\" is no size, allowed: 1M to 1024G"},
	    {"cache { memory = 64KB }", "memory: \"64KB\" is no size, allowed: 1M to 1024G"},
	    {"cache { memory = 1K }", "memory: \"1K\" is too small, allowed: 1M to 1024G"},
	    {"log { format = xml }", "format: \"xml\" is unknown, allowed: logfmt or json"},
	    {"log { level = loud }", "level: \"loud\" is not understood, allowed: error, warning, "
				     "notice, info or debug"},
	    {"log { target = x.log }", "target: \"x.log\" is not understood, allowed: stderr, "
				       "syslog, or the absolute path of a file"},
	    {"log { access = yes }", "access: \"yes\" is unknown, allowed: off, on or errors"},
	    {"log { access_sample = 0 }",
	     "access_sample: \"0\" is too small, allowed: 1 to 1000000000"},
	    {"log { request_id = yes }", "request_id: \"yes\" is unknown, allowed: on or off"},
	    {"limits { idle_timeout = 1.5s }",
	     "idle_timeout: \"1.5s\" is no time, allowed: 10ms to 1d"},
	    {"limits { idle_timeout = 5 s }", "s: unknown option"},
	    {"defaults { refresh_ratio = 1 }",
	     "refresh_ratio: \"1\" is too large, allowed: 0.05 to 0.95"},
	    {"defaults { refresh_ratio = 1.2.3 }",
	     "refresh_ratio: \"1.2.3\" is no ratio, allowed: 0.05 to 0.95"},
	    {"defaults { nonce = maybe }",
	     "nonce: \"maybe\" is unknown, allowed: auto, ignore, forward or reject"},
	    {"defaults { proxy = 'socks5://x' }", "proxy: \"socks5://x\" is not understood, "
						  "allowed: http://host:port, none, or \"\" for "
						  "that of the environment"},
	    {"issuer x { certificate = '' }",
	     "certificate: \"\" is not understood, allowed: the path of a file"},
	    {"issuer x { }",
	     "certificate: missing in issuer \"x\", allowed: files of CA certificates"},
	    {"issuer x { certificate = a responders = 'http://u@h/' }",
	     "responders: \"http://u@h/\" is not understood, allowed: http:// or https:// with a "
	     "host, no user, query or fragment"},
	    {"issuer \"a\\nb\" { certificate = a }",
	     "issuer: \"a\nb\" is no name, allowed: 1 to 128 octets of UTF-8 without controls"},
	    {"issuer '' { certificate = a }",
	     "issuer: \"\" is no name, allowed: 1 to 128 octets of UTF-8 without controls"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char expected[1024];

		snprintf(expected, sizeof(expected), "c:1: %s\n", cases[i].message);
		cr_expect_eq(load(cases[i].text), ERR_SYNTAX, "%s", cases[i].text);
		cr_expect_str_eq(shown, expected, "%s\ngives:\n%s", cases[i].text, shown);
	}
}

Test(config, every_error_is_reported_at_once_in_order_with_its_line)
{
	EXPECT_MESSAGES("threads = x      # one line, not three\n"
			"lissten = {\"a\"}\n"
			"/* a comment\n"
			"   of lines */ back_threads = 99\n"
			"cache {\n"
			"  memory = 1 // too small\n"
			"  memroy = 2\n"
			"}\n"
			"listen = {\"a:1\",\n"
			"  # in a list\n"
			"  \"nonsense\"}\n"
			"user = \"over\\\n"
			"lines\"\n"
			"issuer x {\n"
			"  clock_skew = 2d\n"
			"}\n",
			"c:1: threads: \"x\" is no whole number, allowed: 0 to 256\n"
			"c:2: lissten: unknown option, did you mean listen?\n"
			"c:4: back_threads: \"99\" is too large, allowed: 1 to 64\n"
			"c:6: memory: \"1\" is too small, allowed: 1M to 1024G\n"
			"c:7: memroy: unknown option, did you mean memory?\n"
			"c:11: listen: \"nonsense\" is not understood, allowed: host:port, *:port, "
			"[address]:port, unix:/path, or systemd\n"
			"c:14: certificate: missing in issuer \"x\", allowed: files of CA "
			"certificates\n"
			"c:15: clock_skew: \"2d\" is too large, allowed: 0 to 1d\n");
}

Test(config, unknown_names_are_errors_with_a_suggestion)
{
	EXPECT_MESSAGES("purple = 1\n"
			"memory = 64M\n"
			"refresh_ratio = 0.5\n"
			"limits { certificate = x }\n"
			"log { threads = 2 }\n"
			"isuer \"x\" { certificate = x }\n"
			"pebble { timeout = 50ms password_file = \"}\" }\n"
			"purple(a, b) inclde(\"x\")\n"
			"'' = 1\n",
			"c:1: purple: unknown option\n"
			"c:2: memory: does not stand here, but in cache { }\n"
			"c:3: refresh_ratio: does not stand here, but in defaults { } or issuer "
			"\"...\" { }\n"
			"c:4: certificate: does not stand here, but in issuer \"...\" { }\n"
			"c:5: threads: does not stand here, but in the top level\n"
			"c:6: isuer: unknown section, did you mean issuer?\n"
			"c:7: pebble: unknown section\n"
			"c:8: purple: unknown option\n"
			"c:8: inclde: unknown option, did you mean include?\n"
			"c:9: : unknown option\n");
}

/* Nothing inside an unknown statement is taken for a statement of its own. */
Test(config, unknown_statements_are_skipped_whole)
{
	EXPECT_MESSAGES("a = {threads, \"}\", 2}\n"
			"b { threads = 999 c { threads = 999 } # }\n }\n"
			"d 'title' { threads = 999 }\n"
			"e += threads\n"
			"threads = 999\n",
			"c:1: a: unknown option\n"
			"c:2: b: unknown section\n"
			"c:4: d: unknown section\n"
			"c:5: e: unknown option\n"
			"c:6: threads: \"999\" is too large, allowed: 0 to 256\n");
}

Test(config, broken_syntax_is_one_error_where_it_is)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"\nthreads 4", "c:2: syntax: missing equal sign after option 'threads'\n"},
	    {"\nthreads = \n}", "c:3: syntax: unexpected token '}'\n"},
	    {"threads =", "c:1: syntax: premature end of file\n"},
	    {"cache = 5", "c:1: syntax: missing opening brace for section 'cache'\n"},
	    {"issuer { }", "c:1: syntax: missing title for section 'issuer'\n"},
	    {"listen = {a:1 b:2}", "c:1: syntax: unexpected token 'b:2'\n"},
	    {"= 4", "c:1: syntax: unexpected token '='\n"},
	    {"\n}", "c:2: syntax: a } without its {\n"},
	    {"cache {\nmemory = 64M\n", "c:1: cache: its { has no }\n"},
	    {"threads = 1\nuser = \"open\n\n",
	     "c:2: syntax: the string that begins here does not end\n"},
	    {"threads = 1\n/* open\n\n",
	     "c:2: syntax: the comment that begins here does not end\n"},
	    {"threads = /* open", "c:1: syntax: the comment that begins here does not end\n"},
	    {"purple {\n\n a = 1",
	     "c:1: purple: unknown section\nc:1: syntax: a { without its }\n"},
	    {"user = \"\\400\"", "c:1: syntax: invalid octal number '\\400'\n"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		cr_expect_eq(load(cases[i].text), ERR_SYNTAX, "%s", cases[i].text);
		cr_expect_str_eq(shown, cases[i].message, "%s\ngives:\n%s", cases[i].text, shown);
	}
}

Test(config, errors_before_broken_syntax_are_reported_too)
{
	EXPECT_MESSAGES("threads = x\nlissten = 1\nuser }\n",
			"c:1: threads: \"x\" is no whole number, allowed: 0 to 256\n"
			"c:2: lissten: unknown option, did you mean listen?\n"
			"c:3: syntax: missing equal sign after option 'user'\n");
}

/* Each with one fault, and errors behind it of every kind: of a name, of a value, of syntax. */
Test(config, broken_syntax_hides_no_other_error)
{
	static const struct {
		const char *fault, *message; /* of line 1 */
	} cases[] = {
	    {"threads 4", "missing equal sign after option 'threads'"},
	    {"threads", NULL}, /* the fault is found on the line behind */
	    {"threads = = 4", "unexpected token '='"},
	    {"threads = 4 = 5", "unexpected token '='"},
	    {"listen = {a:1 b:2}", "unexpected token 'b:2'"},
	    {"listen = {a:1,,b:2}", "unexpected token ','"},
	    {"listen = {a:1, = {b:2}, c:3}", "unexpected token '='"},
	    {"= 4", "unexpected token '='"},
	    {"}", "a } without its {"},
	    {"cache = 5", "missing opening brace for section 'cache'"},
	    {"cache", NULL},
	    {"issuer {}", "missing title for section 'issuer'"},
	    {"issuer = {}", "missing title for section 'issuer'"},
	    {"issuer { certificate = x method = get }", "missing title for section 'issuer'"},
	    {"cache = { memory = 1M }", "missing opening brace for section 'cache'"},
	    {"cache memory = 1M }", "missing opening brace for section 'cache'"},
	    {"log { level = = debug }", "unexpected token '='"},
	    {"log { level debug }", "missing equal sign after option 'level'"},
	    {"issuer x { certificate = {a, {b}} method = get }", "unexpected token '{'"},
	};
	char text[1024], expected[1024], first[128];

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		snprintf(text, sizeof(text),
			 "%s\nback_threads = x\nlimits {\n\tmax_headers = 1\n}\nbogus = 1\n"
			 "cache {\n\tmemory 5\n}\nlog { level }\n",
			 cases[i].fault);
		first[0] = '\0';
		if (cases[i].message)
			snprintf(first, sizeof(first), "c:1: syntax: %s\n", cases[i].message);
		snprintf(expected, sizeof(expected),
			 "%sc:2: back_threads: \"x\" is no whole number, allowed: 1 to 64\n"
			 "c:4: max_headers: \"1\" is too small, allowed: 4 to 1000\n"
			 "c:6: bogus: unknown option\n"
			 "c:8: syntax: missing equal sign after option 'memory'\n"
			 "c:10: syntax: missing equal sign after option 'level'\n",
			 first);
		cr_expect_eq(load(text), ERR_SYNTAX, "%s", text);
		if (!cases[i].message && strncmp(shown, "c:2: syntax: missing ", 21) == 0)
			memmove(shown, strchr(shown, '\n') + 1, strlen(strchr(shown, '\n')));
		cr_expect_str_eq(shown, expected, "%s\ngives:\n%s", text, shown);
	}
}

Test(config, braces_that_are_missing_are_put_in)
{
	EXPECT_MESSAGES("cache {\n"
			"\tmemory = 1\n"
			"limits {\n"
			"\tmax_headers = 1\n"
			"log\n"
			"\tlevel = loud\n"
			"}\n"
			"listen = {\"a:1\",\n"
			"threads = x\n"
			"issuer x {\n"
			"\tmethod = put\n",
			"c:1: cache: its { has no }\n"
			"c:2: memory: \"1\" is too small, allowed: 1M to 1024G\n"
			"c:3: limits: its { has no }\n"
			"c:4: max_headers: \"1\" is too small, allowed: 4 to 1000\n"
			"c:6: syntax: missing opening brace for section 'log'\n"
			"c:6: level: \"loud\" is not understood, allowed: error, warning, notice, "
			"info or debug\n"
			"c:9: syntax: unexpected token 'threads'\n"
			"c:9: threads: \"x\" is no whole number, allowed: 0 to 256\n"
			"c:10: issuer: its { has no }\n"
			"c:11: method: \"put\" is unknown, allowed: auto, get or post\n");
}

Test(config, file_that_cannot_be_read_is_a_system_error)
{
	cr_expect_eq(load_file("nosuch"), ERR_SYSTEM);
	cr_expect_str_eq(shown, "nosuch: cannot be read: No such file or directory\n");
	cr_assert_eq(mkdir("d", 0700), 0);
	cr_expect_eq(load_file("d"), ERR_SYSTEM);
}

Test(config, binary_file_is_refused)
{
	FILE *file = fopen("b", "w");

	fwrite("threads = 1\0", 1, 12, file);
	fclose(file);
	cr_expect_eq(load_file("b"), ERR_SYNTAX);
	cr_expect_str_eq(shown, "b:1: syntax: is no text\n");
}

/* ---- strings ---- */

Test(config, environment_is_put_into_double_quotes)
{
	setenv("TEST_CONFIG", "/from/environment", 1);
	unsetenv("TEST_CONFIG_UNSET");
	EXPECT_FINE("issuer_dir = \"${TEST_CONFIG}/issuers\"\n"
		    "user = \"${TEST_CONFIG_UNSET:-nobody}\"\n"
		    "log { target = '/${TEST_CONFIG_UNSET}' }\n"
		    "issuer '${TEST_CONFIG}' { certificate = x }\n");
	cr_expect_str_eq(settings->issuers[0].name, "${TEST_CONFIG}", "single quotes keep it");
	cr_expect_str_eq(settings->top.issuer_dir, "/from/environment/issuers");
	cr_expect_str_eq(settings->top.user, "nobody");
	cr_expect_str_eq(settings->log.target, "/${TEST_CONFIG_UNSET}");
}

Test(config, variable_that_is_not_set_is_a_warning)
{
	setenv("TEST_CONFIG", "", 1);
	unsetenv("TEST_CONFIG_UNSET");
	cr_expect_eq(load("admin = \"${TEST_CONFIG_UNSET}\"\n"
			  "user = \"\\${TEST_CONFIG_UNSET}${TEST_CONFIG}\"\n"
			  "listen = {${TEST_CONFIG_UNSET:-a:1},\n"
			  "          \"${TEST_CONFIG}a:${TEST_CONFIG_UNSET}2\"}\n"),
		     OK);
	cr_expect_str_eq(shown, "c:1: warning: admin: ${TEST_CONFIG_UNSET} is not set in the "
				"environment, and empty here\n"
				"c:4: warning: listen: ${TEST_CONFIG_UNSET} is not set in the "
				"environment, and empty here\n");
	cr_expect_str_eq(settings->top.admin, "");
}

/* What a URL must not have may stand there all the same; nobody else needs to see it. */
Test(config, passwords_are_not_repeated_in_messages)
{
	EXPECT_MESSAGES("store = {'redis://me:secr@t@host:6379/0'}",
			"c:1: store: \"redis://me:***@host:6379/0\" is not understood, allowed: no "
			"password in the URL: it belongs into redis { password_file }\n");
	EXPECT_MESSAGES("defaults { proxy = 'http://me:secret@proxy:3128' }",
			"c:1: proxy: \"http://me:***@proxy:3128\" is not understood, allowed: "
			"http://host:port, none, or \"\" for that of the environment\n");
}

Test(config, marks_inside_strings_and_comments_are_no_syntax)
{
	EXPECT_FINE("user = \"a } b { c = # d // e /* f \\\" g\" # } { \" '\n"
		    "issuer_dir = '/a \\' \" } # /*' // \"\n"
		    "/* \" ' } { # // */ threads = 3 # last line without its end");
	cr_expect_str_eq(settings->top.user, "a } b { c = # d // e /* f \" g");
	cr_expect_str_eq(settings->top.issuer_dir, "/a ' \" } # /*");
	cr_expect_eq(settings->top.threads, 3);
}

Test(config, urls_need_no_quotes)
{
	EXPECT_FINE("issuer x { certificate = /a/b.pem responders = {http://a.example/ocsp, "
		    "http://b.example:50000/} }");
	cr_expect_str_eq(settings->issuers[0].own.responders.items[0], "http://a.example/ocsp");
	cr_expect_str_eq(settings->issuers[0].own.responders.items[1], "http://b.example:50000/");
}

Test(config, last_value_of_an_option_counts)
{
	static const char text[] =
	    "threads = 1\nallow = {}\nallow += {'::/0'}\nthreads = 2\n"
	    "cache { memory = 1M } cache { negative_entries = 5 } include('part')";

	put_file("part", "threads = 3");
	cr_assert_eq(load(text), OK);
	cr_expect_not_null(strstr(
	    shown, "c:4: warning: threads: stands at c:1 already, and only this one counts\n"));
	cr_expect_null(strstr(shown, "allow: stands"), "what is added to is no second one");
	cr_expect_null(strstr(shown, "part:"), "a file may say otherwise than another one");
	cr_expect_eq(settings->top.threads, 3);
	cr_expect_eq(settings->cache.memory, 1 << 20);
	cr_expect_eq(settings->cache.negative_entries, 5);
}

Test(config, line_ends_of_other_systems_do_not_matter)
{
	EXPECT_FINE("threads = 2\r\ncache {\r\n memory = 1M\r\n}\r\n");
	cr_expect_eq(settings->top.threads, 2);
}

/* ---- issuers ---- */

Test(config, defaults_apply_to_all_issuers_wherever_they_stand)
{
	EXPECT_FINE("issuer \"Before\" { certificate = a.pem clock_skew = 1s }\n"
		    "defaults { clock_skew = 9s expiry_margin = 8s proxy = 'http://p:1/' }\n"
		    "issuer \"After\" {\n certificate = {b.pem, c.pem} proxy = '' }\n");
	cr_assert_eq(settings->n_issuers, 2);
	cr_expect_str_eq(settings->issuers[0].name, "Before");
	cr_expect_str_eq(settings->issuers[0].file, "c");
	cr_expect_eq(settings->issuers[0].line, 1);
	cr_expect_eq(settings->issuers[0].issuer.clock_skew, 1000);
	cr_expect_eq(settings->issuers[0].issuer.expiry_margin, 8000);
	cr_expect_str_eq(settings->issuers[0].issuer.proxy, "http://p:1/");
	cr_expect_str_eq(settings->issuers[1].name, "After");
	cr_expect_eq(settings->issuers[1].line, 3);
	cr_expect_eq(settings->issuers[1].issuer.clock_skew, 9000);
	cr_expect_str_eq(settings->issuers[1].issuer.proxy, "");
	cr_expect_eq(settings->issuers[1].own.certificate.n, 2);
	cr_expect_str_eq(settings->issuers[1].own.certificate.items[1], "c.pem");
	cr_expect_eq(settings->issuers[1].own.responders.n, 0);
}

Test(config, names_of_issuers_are_unique)
{
	EXPECT_MESSAGES("issuer a { certificate = x }\n\nissuer \"a\" { certificate = x }\n",
			"c:3: issuer: \"a\" is the name of a section already, at c:1\n");
	EXPECT_MESSAGES("issuer a { certificate = x }\nissuer \"\\x61\" { certificate = x }\n",
			"c:3: issuer: two sections have the same name\n");
}

Test(config, missing_certificate_files_are_no_errors)
{
	EXPECT_FINE("issuer x { certificate = '/nosuch/file.pem' }");
}

/* ---- includes ---- */

Test(config, includes_are_relative_to_the_file_and_sorted)
{
	cr_assert_eq(mkdir("conf.d", 0700), 0);
	put_file("conf.d/20.conf", "threads = 20");
	put_file("conf.d/10.conf", "threads = 10\nback_threads = 10 include(\"deep/x\")");
	put_file("conf.d/ignored", "threads = 30");
	cr_assert_eq(mkdir("conf.d/deep", 0700), 0);
	put_file("conf.d/deep/x", "user = deep");
	put_file("main", "back_threads = 1 include(\"conf.d/*.conf\") admin = ''\n");
	cr_assert_eq(load_file("main"), OK, "%s", shown);
	cr_expect_eq(settings->top.threads, 20);
	cr_expect_eq(settings->top.back_threads, 10);
	cr_expect_str_eq(settings->top.user, "deep");
	cr_expect_str_eq(settings->top.admin, "");
}

Test(config, more_files_than_libconfuse_would_nest)
{
	char name[32], text[64];

	for (int i = 10; i < 40; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), "issuer \"%d\" { certificate = x }", i);
		put_file(name, text);
	}
	EXPECT_FINE("include(\"*.conf\")");
	cr_expect_eq(settings->n_issuers, 30);
	cr_expect_str_eq(settings->issuers[29].file, "39.conf");
	cr_expect_eq(settings->issuers[29].line, 1);
}

Test(config, errors_in_included_files_have_their_file_and_line)
{
	put_file("part", "# comment\nthreads = x\n\nbogus = 1\nissuer x { }");
	EXPECT_MESSAGES("back_threads = x\ninclude('part') user = {a}\nback_threads = y\n",
			"c:1: back_threads: \"x\" is no whole number, allowed: 1 to 64\n"
			"part:2: threads: \"x\" is no whole number, allowed: 0 to 256\n"
			"part:4: bogus: unknown option\n"
			"part:5: certificate: missing in issuer \"x\", allowed: files of CA "
			"certificates\n"
			"c:2: user: takes one value, not a list\n"
			"c:3: warning: back_threads: stands at c:1 already, and only this one "
			"counts\n"
			"c:3: back_threads: \"y\" is no whole number, allowed: 1 to 64\n");
}

Test(config, include_works_inside_a_section)
{
	put_file("part", "clock_skew = 7s threads = 1");
	EXPECT_MESSAGES("issuer x { certificate = x include(\"part\") }",
			"part:1: threads: does not stand here, but in the top level\n");
	put_file("part", "clock_skew = 7s");
	EXPECT_FINE("issuer x { certificate = x include(\"part\") }");
	cr_expect_eq(settings->issuers[0].issuer.clock_skew, 7000);
}

Test(config, braces_pair_up_inside_of_each_file)
{
	put_file("part", "threads = 1 }");
	EXPECT_MESSAGES("cache { include('part')", "c:1: cache: its { has no }\n"
						   "part:1: threads: does not stand here, but in "
						   "the top level\n"
						   "part:1: syntax: a } without its {\n");
	put_file("part", "cache { memory = 1M");
	EXPECT_MESSAGES("include('part') }", "part:1: cache: its { has no }\n"
					     "c:1: syntax: a } without its {\n");
}

Test(config, includes_that_cannot_be_followed_are_errors)
{
	put_file("self", "\ninclude(\"self\")");
	put_file("a", "include('b')");
	put_file("b", "include('a')");
	EXPECT_MESSAGES("include('self')\ninclude('a')\ninclude('nosuch')\ninclude nosuch\n"
			"include('a', 'b') include('.') include(\"none/*.conf\")",
			"self:2: include: self: includes itself\n"
			"b:1: include: a: includes itself\n"
			"c:3: include: nosuch: no such file\n"
			"c:4: include: not understood, allowed: include(\"FILES\")\n"
			"c:5: include: not understood, allowed: include(\"FILES\")\n"
			"c:5: include: .: Is a directory\n");
}

Test(config, include_chains_end)
{
	char name[32], text[64];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "chain%d", i);
		snprintf(text, sizeof(text), "include('chain%d')", i + 1);
		put_file(name, text);
	}
	EXPECT_MESSAGES("include('chain0')", "chain15:1: include: chain16: too many files, or too "
					     "deep in one another\n");
}

/* ---- warnings ---- */

Test(config, what_is_legal_but_unwise_is_a_warning)
{
	cr_expect_eq(load("allow = { /* none */ }\n"
			  "issuer x { certificate = x weak_signature = accept }\n"
			  "issuer y { certificate = x\n request_deadline = 1s }\n"
			  "issuer z { certificate = x min_refresh_interval = 13h }\n"),
		     OK);
	cr_expect_str_eq(shown,
			 "c:1: warning: allow = {}: only clients of Unix sockets are served\n"
			 "c:2: warning: weak_signature = accept: signatures that can be "
			 "forged are taken and stored\n"
			 "c:3: warning: request_deadline: shorter than connect_timeout, "
			 "clients are sent away while the connection to a responder is still "
			 "being made\n"
			 "c:5: warning: min_refresh_interval: longer than "
			 "max_refresh_interval\n");
}

Test(config, warning_about_defaults_is_not_repeated_for_each_issuer)
{
	cr_expect_eq(load("issuer x { certificate = x }\n"
			  "defaults { connect_timeout = 9s }\n"
			  "issuer y { certificate = x connect_timeout = 1s }\n"),
		     OK);
	cr_expect_eq(strncmp(shown, "c:2: warning: request_deadline: shorter", 39), 0, "%s", shown);
	cr_expect_eq(strchr(shown, '\n')[1], '\0', "%s", shown);
}

/* Arbitrary cuts and changes of a good file: an answer each time, never a crash; ASan watches. */
Test(config, every_prefix_of_a_file_has_an_answer)
{
	static const char text[] =
	    "listen = {\"a:1\", 'b:2'} # x\nissuer \"A\" { certificate = a /* "
	    "x */ proxy = \"${HOME}\" }\nunknown { a = {1,2} }\nthreads += "
	    "1\ninclude(\"x*\")\n";
	char cut[sizeof(text)];

	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(cut, text, n);
		cut[n] = '\0';
		(void)load(cut);
		for (const char *mark = "{}=\"'(#"; n > 0 && *mark; mark++) {
			cut[n - 1] = *mark;
			(void)load(cut);
		}
	}
}
