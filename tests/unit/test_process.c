/* SPDX-License-Identifier: ISC */
/* What the process is to the system: its signals, its user, its supervisor. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/notify.h"
#include "io/privileges.h"
#include "io/signals.h"

/* --- signals ---------------------------------------------------------------------------------- */

struct told {
	struct loop *loop;
	unsigned n_stops, n_reloads, n_wanted;
};

static void stop_if_all(struct told *told)
{
	if (told->n_stops + told->n_reloads == told->n_wanted)
		loop_stop(told->loop);
}

static void on_stop(void *arg)
{
	struct told *told = arg;

	told->n_stops++;
	stop_if_all(told);
}

static void on_reload(void *arg)
{
	struct told *told = arg;

	told->n_reloads++;
	stop_if_all(told);
}

Test(signals, they_are_calls_on_the_loop)
{
	struct told told = {.loop = loop_new(), .n_wanted = 3};
	struct signals *signals = signals_new(told.loop, on_stop, on_reload, &told);

	cr_assert_not_null(signals);
	raise(SIGTERM);
	raise(SIGINT);
	raise(SIGHUP);
	cr_expect_eq(told.n_stops + told.n_reloads, 0, "not from inside the handler");
	loop_run(told.loop);
	cr_expect_eq(told.n_stops, 2);
	cr_expect_eq(told.n_reloads, 1);
	told.n_wanted = 4;
	raise(SIGTERM);
	loop_run(told.loop);
	cr_expect_eq(told.n_stops, 3, "a second one too");
	raise(SIGPIPE);
	raise(SIGXFSZ);
	signals_free(signals);
	signals_free(NULL);
	loop_free(told.loop);
}

/* --- privileges ------------------------------------------------------------------------------- */

static char directory[] = "/tmp/ocsprelay-test-XXXXXX";

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(privileges, .fini = tear_down);
TestSuite(notify, .fini = tear_down);

static const char *const none[] = {NULL};

Test(privileges, no_user_is_no_change)
{
	uid_t before = getuid();

	cr_expect_eq(privileges_drop("", none, NULL), OK);
	cr_expect_eq(getuid(), before);
}

static void skip_unless_root(void)
{
	if (geteuid() != 0)
		cr_skip_test("only root has something to give up");
}

Test(privileges, an_unknown_user_is_an_error)
{
	skip_unless_root();
	cr_expect_eq(privileges_drop("no-such-user-anywhere", none, NULL), ERR_SYSTEM);
	cr_expect_eq(geteuid(), 0);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static uid_t owner(const char *name)
{
	struct stat status;

	cr_assert_eq(lstat(path_of(name), &status), 0);
	return status.st_uid;
}

static void make(const char *name)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

/* In a child, because there is no way back. */
static int drop_in_child(const char *store, const char *log_file)
{
	const char *directories[] = {store, NULL};
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (privileges_drop("nobody", directories, log_file) != OK)
			_exit(1);
		if (geteuid() == 0 || getuid() == 0 || getegid() == 0)
			_exit(2);
		if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
			_exit(3);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

Test(privileges, SL_16_root_is_given_up_for_good_and_the_store_handed_over)
{
	const struct passwd *nobody = getpwnam("nobody");

	skip_unless_root();
	cr_assert_not_null(nobody);
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(mkdir(path_of("store"), 0750), 0);
	make("store/data.mdb");
	make("store/lock.mdb");
	make("store/other");
	cr_expect_eq(drop_in_child(path_of("store"), NULL), 0);
	cr_expect_eq(owner("store"), nobody->pw_uid);
	cr_expect_eq(owner("store/data.mdb"), nobody->pw_uid);
	cr_expect_eq(owner("store/lock.mdb"), nobody->pw_uid);
	cr_expect_eq(owner("store/other"), 0);

	cr_expect_eq(drop_in_child(path_of("new"), NULL), 0);
	cr_expect_eq(owner("new"), nobody->pw_uid, "made, if its parent exists");
	cr_expect_eq(drop_in_child("/proc/self/none", NULL), 0);
}

/* The user can link and rename in a directory that is his. */
Test(privileges, SL_16_what_has_another_name_elsewhere_is_not_handed_over)
{
	char secret[128];

	skip_unless_root();
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(mkdir(path_of("store"), 0750), 0);
	make("secret");
	snprintf(secret, sizeof(secret), "%s", path_of("secret"));
	cr_assert_eq(link(secret, path_of("store/data.mdb")), 0);
	cr_assert_eq(symlink(secret, path_of("store/lock.mdb")), 0);
	cr_assert_eq(symlink("store", path_of("link")), 0);
	cr_expect_eq(drop_in_child(path_of("store"), NULL), 0);
	cr_expect_eq(owner("secret"), 0);
	cr_expect_eq(owner("store/lock.mdb"), 0);
}

Test(privileges, SL_16_a_directory_of_somebody_else_stays_his)
{
	skip_unless_root();
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(mkdir(path_of("store"), 0750), 0);
	cr_assert_eq(chown(path_of("store"), 1, 1), 0);
	cr_expect_eq(drop_in_child(path_of("store"), NULL), 0);
	cr_expect_eq(owner("store"), 1);
}

Test(privileges, SL_16_the_log_file_is_handed_over)
{
	const struct passwd *nobody = getpwnam("nobody");

	skip_unless_root();
	cr_assert_not_null(nobody);
	cr_assert_not_null(mkdtemp(directory));
	make("log");
	cr_expect_eq(drop_in_child("/proc/self/none", path_of("log")), 0);
	cr_expect_eq(owner("log"), nobody->pw_uid);
	cr_expect_eq(drop_in_child("/proc/self/none", path_of("absent")), 0);
	cr_expect_neq(access(path_of("absent"), F_OK), 0);
}

Test(privileges, SL_16_what_is_no_log_file_of_root_is_not_handed_over)
{
	static const char *const names[] = {"linked", "link", "his", "directory"};
	char secret[128];

	skip_unless_root();
	cr_assert_not_null(mkdtemp(directory));
	make("secret");
	make("his");
	snprintf(secret, sizeof(secret), "%s", path_of("secret"));
	cr_assert_eq(chown(path_of("his"), 1, 1), 0);
	cr_assert_eq(mkdir(path_of("directory"), 0750), 0);
	cr_assert_eq(symlink(secret, path_of("link")), 0);
	cr_expect_eq(drop_in_child("/proc/self/none", path_of("link")), 0);
	cr_expect_eq(owner("secret"), 0, "through a symbolic link");
	cr_assert_eq(link(secret, path_of("linked")), 0);
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		uid_t before = owner(names[i]);

		cr_expect_eq(drop_in_child("/proc/self/none", path_of(names[i])), 0);
		cr_expect_eq(owner(names[i]), before, "%s", names[i]);
	}
}

static void give(const char *name)
{
	int fd = open(path_of(name), O_PATH | O_NOFOLLOW);

	privileges_give_socket(fd, "nobody");
	close(fd);
}

Test(privileges, SL_16_only_a_socket_of_root_is_given_as_one)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	skip_unless_root();
	cr_assert_not_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	make("file");
	give("file");
	cr_expect_eq(owner("file"), 0);
	cr_assert_eq(symlink("s", path_of("link")), 0);
	give("link");
	cr_expect_eq(owner("s"), 0);
	cr_expect_eq(owner("link"), 0);
	cr_assert_eq(link(address.sun_path, path_of("linked")), 0);
	give("s");
	cr_expect_eq(owner("s"), 0, "it has another name");
	cr_assert_eq(unlink(path_of("linked")), 0);
	give("s");
	cr_expect_eq(owner("s"), getpwnam("nobody")->pw_uid);
}

Test(privileges, an_unknown_user_can_be_told_before)
{
	cr_expect_eq(privileges_check(""), OK);
	cr_expect_eq(privileges_check("root"), OK);
	cr_expect_eq(privileges_check("no-such-user-anywhere"), ERR_SYSTEM);
}

/* --- systemd ---------------------------------------------------------------------------------- */

#ifdef HAVE_LIBSYSTEMD
static const char *receive(int fd)
{
	static char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

Test(notify, systemd_is_told)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	cr_assert_not_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", directory);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	notify_ready();
	cr_expect_str_eq(receive(fd), "READY=1");
	notify_reloading();
	cr_expect_eq(strncmp(receive(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_stopping();
	cr_expect_str_eq(receive(fd), "STOPPING=1");
	close(fd);
}
#endif

Test(notify, without_systemd_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	notify_reloading();
	notify_stopping();
}
