/* SPDX-License-Identifier: ISC */
/* Listening sockets: the words of the configuration, and what becomes of them. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "io/sockets.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

static char directory[] = "/tmp/ocsprelay-test-XXXXXX";
static char path_word[64]; /* "unix:" and a path in directory */
static unsigned n_failures;

static void count_failures(void *arg, enum log_event event, const struct log_field *fields)
{
	(void)arg;
	(void)fields;
	n_failures += event == EVENT_LISTEN_FAILED;
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path_word, sizeof(path_word), "unix:%s/s", directory);
	log_set_sink(count_failures, NULL);
}

static void teardown(void)
{
	unlink(path_word + 5);
	cr_expect_eq(rmdir(directory), 0, "no file is left behind");
}

TestSuite(sockets, .init = setup, .fini = teardown);

static struct sockets *open_words(const char *first, const char *second, unsigned n_copies)
{
	char *items[] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second};
	const struct text_list list = {.items = items, .n = second ? 2 : 1};
	const struct sockets_opts opts = {.n_copies = n_copies, .mode = 0600, .user = ""};
	struct sockets *sockets = sockets_open(&list, &opts);

	cr_assert_not_null(sockets);
	return sockets;
}

Test(sockets, words_are_checked)
{
	static const char *const good[] = {
	    "127.0.0.1:80",
	    "[::1]:80",
	    "*:80",
	    "localhost:80",
	    "ocsp.example.com:8080",
	    "127.0.0.1:0",
	    "0.0.0.0:65535",
	    "[::]:80",
	    "unix:/run/a.sock",
	    "systemd",
	    "[fe80::1%eth0]:80",
	};
	static const char *const bad[] = {
	    "",		":80",	 "127.0.0.1", "127.0.0.1:",  "127.0.0.1:65536", "127.0.0.1:+80",
	    "::1:80",	"[::1]", "[::1:80",   "[]:80",	     "[127.0.0.1]:80",	"[::1%]:80",
	    "a b:80",	"**:80", "unix:",     "unix:a.sock", "[::1]80",		"host:http",
	    "host:8 0",
	};
	char long_path[200] = "unix:/";

	for (size_t i = 0; i < N_ELEMENTS(good); i++)
		cr_expect_eq(sockets_check(good[i]), OK, "%s", good[i]);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		cr_expect_eq(sockets_check(bad[i]), ERR_SYNTAX, "%s", bad[i]);
	memset(long_path + 6, 'a', 107);
	cr_expect_eq(sockets_check(long_path), ERR_SYNTAX);
	long_path[6 + 106] = '\0';
	cr_expect_eq(sockets_check(long_path), OK);
}

static void expect_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len), 0);
	cr_assert(value);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 address; /* the port stands at the same place in sockaddr_in */
	socklen_t len = sizeof(address);

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin6_port);
}

/* 0, or the errno of connecting to what fd is bound to. */
static int connect_to(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int client, error;

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	client = socket(address.ss_family, SOCK_STREAM, 0);
	cr_assert_geq(client, 0);
	error = connect(client, (struct sockaddr *)&address, len) == 0 ? 0 : errno;
	close(client);
	return error;
}

Test(sockets, EM_25_shut_sockets_refuse_clients)
{
	struct sockets *sockets = open_words("127.0.0.1:0", path_word, 2);

	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(connect_to(sockets_fd(sockets, i, 0)), 0);
	sockets_shut(sockets);
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(connect_to(sockets_fd(sockets, i, 0)), ECONNREFUSED);
	sockets_close(sockets);
}

Test(sockets, copies_share_the_port_that_the_kernel_chose)
{
	struct sockets *sockets = open_words("127.0.0.1:0", NULL, 3);
	unsigned port = port_of(sockets_fd(sockets, 0, 0));
	char name[32];

	cr_assert_eq(sockets_count(sockets), 1);
	for (unsigned copy = 0; copy < 3; copy++) {
		expect_listening(sockets_fd(sockets, 0, copy));
		cr_assert_eq(port_of(sockets_fd(sockets, 0, copy)), port);
		for (unsigned other = 0; other < copy; other++)
			cr_assert_neq(sockets_fd(sockets, 0, copy), sockets_fd(sockets, 0, other));
	}
	snprintf(name, sizeof(name), "127.0.0.1:%u", port);
	cr_assert_str_eq(sockets_name(sockets, 0), name);
	sockets_close(sockets);
}

Test(sockets, a_star_is_both_families_on_one_port)
{
	struct sockets *sockets = open_words("*:0", NULL, 2);
	unsigned port = port_of(sockets_fd(sockets, 0, 0));
	char name[32];

	cr_assert_eq(sockets_count(sockets), 2, "IPv4 and IPv6");
	for (size_t i = 0; i < 2; i++) {
		bool is_v6 = sockets_name(sockets, i)[0] == '[';

		snprintf(name, sizeof(name), is_v6 ? "[::]:%u" : "0.0.0.0:%u", port);
		cr_assert_str_eq(sockets_name(sockets, i), name);
		expect_listening(sockets_fd(sockets, i, 1));
	}
	cr_assert_neq(sockets_name(sockets, 0)[0], sockets_name(sockets, 1)[0]);
	sockets_close(sockets);
}

Test(sockets, a_port_in_use_is_left_out_whatever_the_number_of_copies)
{
	for (unsigned n_copies = 1; n_copies <= 2; n_copies++) {
		struct sockets *first = open_words("[::1]:0", NULL, n_copies), *second;
		unsigned n_before = n_failures;

		second = open_words(sockets_name(first, 0), "127.0.0.1:0", 2);
		cr_assert_eq(sockets_count(second), 1);
		cr_assert_eq(strncmp(sockets_name(second, 0), "127.0.0.1:", 10), 0);
		cr_assert_eq(n_failures, n_before + 1);
		sockets_close(second);
		sockets_close(first);
	}
}

Test(sockets, what_cannot_be_opened_is_logged_and_left_out)
{
	struct sockets *sockets = open_words("no such word", "192.0.2.1:1", 1);

	cr_assert_eq(sockets_count(sockets), 0);
	cr_assert_eq(n_failures, 2);
	sockets_close(sockets);
	sockets = open_words("unix:/nonexistent/directory/s", "unix:relative", 1);
	cr_assert_eq(sockets_count(sockets), 0);
	cr_assert_eq(n_failures, 4);
	sockets_close(sockets);
	sockets_close(NULL);
}

Test(sockets, a_unix_socket_is_shared_and_its_file_goes_with_it)
{
	struct sockets *sockets = open_words(path_word, NULL, 3);

	cr_assert_eq(sockets_count(sockets), 1);
	cr_assert_str_eq(sockets_name(sockets, 0), path_word);
	expect_listening(sockets_fd(sockets, 0, 0));
	cr_assert_eq(sockets_fd(sockets, 0, 2), sockets_fd(sockets, 0, 0));
	sockets_close(sockets);
	cr_assert_neq(access(path_word + 5, F_OK), 0);
}

static struct sockets *open_file(mode_t mode, const char *user)
{
	char *item = path_word;
	const struct text_list list = {.items = &item, .n = 1};
	struct sockets *sockets =
	    sockets_open(&list, &(struct sockets_opts){.n_copies = 1, .mode = mode, .user = user});

	cr_assert_not_null(sockets);
	cr_assert_eq(sockets_count(sockets), 1);
	return sockets;
}

Test(sockets, the_file_has_the_mode_that_is_wanted_whatever_the_umask)
{
	static const mode_t modes[] = {0666, 0660}, masks[] = {0, 022, 0777};

	for (size_t i = 0; i < N_ELEMENTS(modes) * N_ELEMENTS(masks); i++) {
		mode_t mode = modes[i % N_ELEMENTS(modes)], mask = masks[i / N_ELEMENTS(modes)];
		mode_t before = umask(mask);
		struct sockets *sockets = open_file(mode, "");
		struct stat status;

		umask(before);
		cr_assert_eq(lstat(path_word + 5, &status), 0);
		cr_expect_eq(status.st_mode, S_IFSOCK | mode, "%o", (unsigned)status.st_mode);
		cr_expect_eq(status.st_uid, geteuid());
		sockets_close(sockets);
	}
}

Test(sockets, SL_16_root_gives_the_file_to_the_user)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct sockets *sockets;
	struct stat status;

	if (geteuid() != 0)
		cr_skip_test("only root can give files away");
	cr_assert_not_null(nobody);
	sockets = open_file(0660, "nobody");
	cr_assert_eq(lstat(path_word + 5, &status), 0);
	cr_expect_eq(status.st_mode, S_IFSOCK | 0660, "%o", (unsigned)status.st_mode);
	cr_expect_eq(status.st_uid, nobody->pw_uid);
	cr_expect_eq(status.st_gid, nobody->pw_gid);
	sockets_close(sockets);
	sockets = open_file(0660, "no-such-user-anywhere");
	cr_assert_eq(lstat(path_word + 5, &status), 0);
	cr_expect_eq(status.st_uid, 0);
	sockets_close(sockets);
}

Test(sockets, a_stale_file_is_replaced_and_one_that_answers_is_not)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockets *first, *second;

	memcpy(address.sun_path, path_word + 5, strlen(path_word + 5));
	cr_assert_eq(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	close(stale);
	first = open_words(path_word, NULL, 1);
	cr_assert_eq(sockets_count(first), 1);
	second = open_words(path_word, NULL, 1);
	cr_assert_eq(sockets_count(second), 0);
	cr_assert_eq(n_failures, 1);
	sockets_close(second);
	cr_assert_eq(access(path_word + 5, F_OK), 0, "it is the first one's");
	sockets_close(first);
}

Test(sockets, one_that_is_too_busy_to_answer_is_not_stale)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int busy = socket(AF_UNIX, SOCK_STREAM, 0), client;
	struct sockets *sockets;

	memcpy(address.sun_path, path_word + 5, strlen(path_word + 5));
	cr_assert_eq(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(busy, 0), 0);
	do
		client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	sockets = open_words(path_word, NULL, 1);
	cr_assert_eq(sockets_count(sockets), 0);
	cr_assert_eq(access(path_word + 5, F_OK), 0);
	sockets_close(sockets);
}

Test(sockets, a_file_that_is_no_socket_is_left_alone)
{
	FILE *file = fopen(path_word + 5, "w");
	struct sockets *sockets;

	cr_assert_not_null(file);
	fclose(file);
	sockets = open_words(path_word, NULL, 1);
	cr_assert_eq(sockets_count(sockets), 0);
	sockets_close(sockets);
	cr_assert_eq(access(path_word + 5, F_OK), 0);
}

#if HAVE_LIBSYSTEMD

/* Criterion has descriptors 3 and 4 itself, so a child plays the service. 0: all is well. */
static int play_service(int listening)
{
	char text[32];
	struct sockets *sockets;

	/* The second one is no socket. */
	if (dup2(listening, 3) != 3 || dup2(open("/dev/null", O_RDONLY), 4) != 4)
		return 1;
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "2", 1);
	sockets = open_words("systemd", NULL, 2);
	if (sockets_count(sockets) != 1 || n_failures != 1)
		return 2;
	if (sockets_fd(sockets, 0, 0) != 3 || sockets_fd(sockets, 0, 1) != 3)
		return 3;
	if (!(fcntl(3, F_GETFL) & O_NONBLOCK) || !(fcntl(3, F_GETFD) & FD_CLOEXEC))
		return 4;
	snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(3));
	if (strcmp(sockets_name(sockets, 0), text) != 0)
		return 5;
	sockets_shut(sockets); /* not these: systemd goes on using them */
	if (connect_to(3) != 0)
		return 6;
	sockets_close(sockets);
	return fcntl(3, F_GETFD) == -1 ? 0 : 7;
}

Test(sockets, passed_sockets_are_taken_over)
{
	struct sockaddr_in loopback = {.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;
	pid_t child;

	cr_assert_eq(bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	child = fork();
	if (child == 0)
		_exit(play_service(fd));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
}

#endif

Test(sockets, none_passed_is_logged)
{
	struct sockets *sockets = open_words("systemd", NULL, 1);

	cr_assert_eq(sockets_count(sockets), 0);
	cr_assert_eq(n_failures, 1);
	sockets_close(sockets);
}
