/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets. One word of the configuration becomes one socket per address that it stands
 * for, and each socket of TCP n_copies descriptors. They are kept in one growing array, whose rows
 * are complete: what fails on the way is closed and logged.
 */
#include "io/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#if HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/bytes.h"
#include "base/log.h"
#include "io/privileges.h"

#define BACKLOG	 4096 /* the kernel cuts it to what it allows */
#define MAX_NAME (sizeof(((struct sockaddr_un *)NULL)->sun_path) + sizeof("unix:"))
#define MAX_HOST 256

struct bound {
	char name[MAX_NAME];
	bool is_ours;	/* a Unix socket whose file was made here */
	bool is_passed; /* opened by systemd, which goes on using it */
	unsigned n_fds; /* n_copies, or 1 that all share */
	int *fds;
};

struct sockets {
	size_t n;
	struct bound *items;
	bool lacks_memory; /* a row was lost */
};

struct host_port {
	char host[MAX_HOST]; /* "*": all addresses */
	char port[6];
	bool is_numeric; /* the host was in brackets */
};

/* --- words ------------------------------------------------------------------------------------ */

static bool is_host_name(const char *host)
{
	return host[0] != '\0' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		   strlen(host);
}

/* An IPv6 address, perhaps with a zone ("fe80::1%eth0"). */
static bool is_ipv6(const char *host)
{
	size_t len = strcspn(host, "%");
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len >= sizeof(text) || (host[len] == '%' && !is_host_name(host + len + 1)))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static err_t parse_host_port(const char *word, struct host_port *out)
{
	struct host_port parsed = {.is_numeric = word[0] == '['};
	const char *colon = strrchr(word, ':');
	const char *host = parsed.is_numeric ? word + 1 : word;
	size_t host_len;
	uint64_t port;

	if (!colon || decimal_decode(slice_text(colon + 1), 65535, &port) != OK)
		return ERR_SYNTAX;
	host_len = (size_t)(colon - word);
	if (parsed.is_numeric) {
		if (host_len < 2 || colon[-1] != ']')
			return ERR_SYNTAX;
		host_len -= 2;
	}
	if (host_len >= sizeof(parsed.host))
		return ERR_SYNTAX;
	memcpy(parsed.host, host, host_len);
	parsed.host[host_len] = '\0';
	snprintf(parsed.port, sizeof(parsed.port), "%u", (unsigned)port);
	if (parsed.is_numeric ? !is_ipv6(parsed.host)
			      : strcmp(parsed.host, "*") != 0 && !is_host_name(parsed.host))
		return ERR_SYNTAX;
	*out = parsed;
	return OK;
}

static bool is_unix(const char *word)
{
	return strncmp(word, "unix:", 5) == 0;
}

static err_t check_path(const char *path)
{
	const struct sockaddr_un *address = NULL;

	if (path[0] != '/' || strlen(path) >= sizeof(address->sun_path))
		return ERR_SYNTAX;
	return OK;
}

err_t sockets_check(const char *word)
{
	struct host_port host_port;

	if (strcmp(word, "systemd") == 0)
		return OK;
	if (is_unix(word))
		return check_path(word + 5);
	return parse_host_port(word, &host_port);
}

/* --- rows ------------------------------------------------------------------------------------- */

static void log_failure(const char *word, const char *why)
{
	LOG(LISTEN_FAILED, LOG_TEXT("address", word), LOG_TEXT("error", why));
}

static void close_row(struct bound *row)
{
	for (unsigned i = 0; i < row->n_fds; i++)
		close(row->fds[i]);
	free(row->fds);
}

static void name_row(struct bound *row)
{
	struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
	const struct sockaddr_un *local = (const struct sockaddr_un *)&storage;
	socklen_t len = sizeof(storage);
	char host[64], port[6];

	(void)getsockname(row->fds[0], (struct sockaddr *)&storage, &len);
	if (storage.ss_family == AF_UNIX)
		snprintf(row->name, sizeof(row->name), "unix:%.*s", (int)sizeof(local->sun_path),
			 local->sun_path);
	else if (getnameinfo((struct sockaddr *)&storage, len, host, sizeof(host), port,
			     sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(row->name, sizeof(row->name),
			 storage.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* Takes the descriptors of row over. */
static void add_row(struct sockets *sockets, struct bound row)
{
	struct bound *items = realloc(sockets->items, (sockets->n + 1) * sizeof(*items));

	if (!items) {
		sockets->lacks_memory = true;
		close_row(&row);
		return;
	}
	name_row(&row);
	items[sockets->n++] = row;
	sockets->items = items;
}

/* A row of one descriptor that all threads share. */
static void add_shared(struct sockets *sockets, int fd, bool is_ours)
{
	struct bound row = {
	    .is_ours = is_ours, .is_passed = !is_ours, .fds = malloc(sizeof(int)), .n_fds = 1};

	if (!row.fds) {
		sockets->lacks_memory = true;
		close(fd);
		return;
	}
	row.fds[0] = fd;
	add_row(sockets, row);
}

/* --- TCP -------------------------------------------------------------------------------------- */

/* -1 with errno. */
static int bind_tcp(const struct addrinfo *info, bool shares_port)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;
	int saved_errno;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    (!shares_port || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0) &&
	    (info->ai_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

/*
 * Where several copies will share a port, one that does not share tries it first: it fails where
 * another process listens, which would otherwise get a part of our clients. It also is what chooses
 * the port where that is 0: info is then changed to have it.
 */
static bool settle_port(struct addrinfo *info)
{
	int fd = bind_tcp(info, false);
	bool is_good = fd >= 0 && getsockname(fd, info->ai_addr, &info->ai_addrlen) == 0;

	if (fd >= 0)
		close(fd);
	return is_good;
}

/* False with errno, *row then has the descriptors that are to be closed. */
static bool open_copies(struct bound *row, const struct addrinfo *info, unsigned n_copies)
{
	while (row->n_fds < n_copies) {
		int fd = bind_tcp(info, n_copies > 1);

		if (fd < 0)
			return false;
		row->fds[row->n_fds++] = fd;
		if (listen(fd, BACKLOG) != 0)
			return false;
	}
	return true;
}

/* False with errno. */
static bool open_tcp(struct sockets *sockets, struct addrinfo *info, unsigned n_copies)
{
	struct bound row = {.fds = calloc(n_copies, sizeof(int))};
	int saved_errno;

	if (!row.fds) {
		sockets->lacks_memory = true;
		return false;
	}
	if (settle_port(info) && open_copies(&row, info, n_copies)) {
		add_row(sockets, row);
		return true;
	}
	saved_errno = errno;
	close_row(&row);
	errno = saved_errno;
	return false;
}

static in_port_t *port_of(struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return &((struct sockaddr_in6 *)(void *)address)->sin6_port;
	return &((struct sockaddr_in *)(void *)address)->sin_port;
}

static void open_host_port(struct sockets *sockets, const char *word, unsigned n_copies)
{
	struct host_port parsed;
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *first;
	bool is_any, has_any = false;
	int e;

	if (parse_host_port(word, &parsed) != OK) {
		log_failure(word, err_row(ERR_SYNTAX)->text);
		return;
	}
	is_any = strcmp(parsed.host, "*") == 0;
	hints.ai_flags |= parsed.is_numeric ? AI_NUMERICHOST : 0;
	e = getaddrinfo(is_any ? NULL : parsed.host, parsed.port, &hints, &first);
	if (e != 0) {
		log_failure(word, gai_strerror(e));
		return;
	}
	for (struct addrinfo *info = first; info; info = info->ai_next) {
		*port_of(info->ai_addr) = *port_of(first->ai_addr);
		if (open_tcp(sockets, info, n_copies))
			has_any = true;
		else if (!is_any || errno != EAFNOSUPPORT || (!info->ai_next && !has_any))
			log_failure(word, strerror(errno));
	}
	freeaddrinfo(first);
}

/* --- Unix ---------------------------------------------------------------------------------------
 */

/* Removes the file of a socket that nobody listens on any more. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd;

	if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

/* By its descriptor in /proc, because there is no other way to say it of a path opened without
 * following links. False with errno. */
static bool set_mode(int fd, mode_t mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) == 0;
}

/*
 * The file that bind has made gets its mode and its owner. Others may be able to write to its
 * directory: what stands there by now is changed only if it can be nothing but ours. False with
 * errno.
 */
static bool open_to_clients(const char *path, const struct sockets_opts *opts)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	bool is_open = false;
	int saved_errno;

	if (fd < 0)
		return false;
	errno = EPERM;
	if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_nlink == 1 &&
	    status.st_uid == geteuid() && set_mode(fd, opts->mode)) {
		privileges_give_socket(fd, opts->user);
		is_open = true;
	}
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return is_open;
}

/* Listens last: until then nobody gets in, whatever the mode. False with errno. */
static bool bind_unix(int fd, const struct sockaddr_un *address, const struct sockets_opts *opts)
{
	int saved_errno;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return false;
	if (open_to_clients(address->sun_path, opts) && listen(fd, BACKLOG) == 0)
		return true;
	saved_errno = errno;
	unlink(address->sun_path);
	errno = saved_errno;
	return false;
}

static void open_unix(struct sockets *sockets, const char *word, const struct sockets_opts *opts)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = word + 5;
	int fd;

	if (check_path(path) != OK) {
		log_failure(word, err_row(ERR_SYNTAX)->text);
		return;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	remove_stale(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_unix(fd, &address, opts)) {
		add_shared(sockets, fd, true);
		return;
	}
	log_failure(word, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* --- passed by systemd ------------------------------------------------------------------------ */

#if HAVE_LIBSYSTEMD

static void open_passed(struct sockets *sockets, const char *word)
{
	int n = sd_listen_fds(1);

	if (n <= 0)
		log_failure(word, "systemd has passed no sockets");
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			log_failure(word, "a passed descriptor is no listening stream socket");
			close(fd);
			continue;
		}
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		add_shared(sockets, fd, false);
	}
}

#else

static void open_passed(struct sockets *sockets, const char *word)
{
	(void)sockets;
	log_failure(word, "built without libsystemd");
}

#endif

/* --- all ----------------------------------------------------------------------------------------
 */

struct sockets *sockets_open(const struct text_list *addresses, const struct sockets_opts *opts)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return NULL;
	for (size_t i = 0; i < addresses->n; i++) {
		const char *word = addresses->items[i];

		if (strcmp(word, "systemd") == 0)
			open_passed(sockets, word);
		else if (is_unix(word))
			open_unix(sockets, word, opts);
		else
			open_host_port(sockets, word, opts->n_copies);
	}
	if (sockets->lacks_memory) {
		sockets_close(sockets);
		return NULL;
	}
	return sockets;
}

void sockets_shut(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++) {
		struct bound *row = &sockets->items[i];

		for (unsigned j = 0; j < row->n_fds && !row->is_passed; j++)
			shutdown(row->fds[j], SHUT_RDWR);
	}
}

void sockets_close(struct sockets *sockets)
{
	if (!sockets)
		return;
	for (size_t i = 0; i < sockets->n; i++) {
		struct bound *row = &sockets->items[i];

		close_row(row);
		if (row->is_ours)
			unlink(row->name + 5);
	}
	free(sockets->items);
	free(sockets);
}

size_t sockets_count(const struct sockets *sockets)
{
	return sockets->n;
}

int sockets_fd(const struct sockets *sockets, size_t i, unsigned copy)
{
	const struct bound *row = &sockets->items[i];

	return row->fds[row->n_fds > 1 ? copy : 0];
}

const char *sockets_name(const struct sockets *sockets, size_t i)
{
	return sockets->items[i].name;
}
