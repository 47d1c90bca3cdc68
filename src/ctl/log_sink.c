/* SPDX-License-Identifier: ISC */
/*
 * The sink: formats outside of the lock, counts folds and writes inside of it, one write per line.
 * A target that is not ready loses the line: pipes and terminals are asked first (a line is no
 * longer than PIPE_BUF, which poll promises), sockets are written to without waiting.
 *
 * One of the two globals of the program (rule 35).
 */
#include "ctl/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "ctl/log_fold.h"
#include "ctl/log_line.h"
#include "io/clock.h"

struct target {
	bool is_syslog;
	int fd;	      /* -1 for syslog and for nothing */
	bool is_own;  /* to be closed */
	bool is_torn; /* the last line got out without its end */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of target and folds */
static struct target target = {.fd = -1};
static struct log_folds folds;
static bool is_installed; /* main thread's */
static _Atomic int level = LEVEL_NOTICE;
static _Atomic int format = LOG_FORMAT_LOGFMT;
static atomic_bool writes_access;
static atomic_bool is_bare; /* syslog adds time and level itself */

int log_level_named(const char *text)
{
	for (int i = LEVEL_ERROR; i <= LEVEL_DEBUG; i++) {
		if (strcmp(log_level_names[i], text) == 0)
			return i;
	}
	return -1;
}

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Under the lock. Octets that got out, -1 for none. */
static ssize_t write_octets(const void *p, size_t len)
{
	struct pollfd ready = {.fd = target.fd, .events = POLLOUT};

	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return -1;
	return write(target.fd, p, len);
}

/* Under the lock. */
static void write_line(enum log_level line_level, const struct log_line *line)
{
	static const int priorities[] = {
	    [LEVEL_ERROR] = LOG_ERR, [LEVEL_WARNING] = LOG_WARNING, [LEVEL_NOTICE] = LOG_NOTICE,
	    [LEVEL_INFO] = LOG_INFO, [LEVEL_DEBUG] = LOG_DEBUG,
	};
	ssize_t n = 0;

	if (target.is_syslog) {
		syslog(priorities[line_level], "%.*s", (int)line->len - 1, line->text);
		return;
	}
	if (target.fd < 0)
		return;
	if (target.is_torn && write_octets("\n", 1) == 1)
		target.is_torn = false;
	if (!target.is_torn)
		n = write_octets(line->text, line->len);
	if (n > 0 && (size_t)n < line->len)
		target.is_torn = true;
	if (n != (ssize_t)line->len)
		counter_add(METRIC_LOG_DROPPED, 0, 0, 0, 1);
}

static struct log_head head_of(enum log_event event)
{
	return (struct log_head){
	    .format = (enum log_format)atomic_load(&format),
	    .is_bare = atomic_load(&is_bare),
	    .ms_wall = wall_ms(),
	    .event = event,
	    .level = log_row(event)->level,
	};
}

/* Under the lock: event=folded name=... count=... */
static void write_fold(const struct log_fold *fold)
{
	struct log_field fields[3 + FOLD_FIELDS] = {
	    LOG_TEXT("name", log_row(fold->event)->name),
	    LOG_NUMBER("count", fold->n),
	};
	struct log_head head = head_of(EVENT_FOLDED);
	struct log_line line;
	size_t n = 2;

	for (size_t i = 0; i < FOLD_FIELDS; i++) {
		if (fold->values[i][0])
			fields[n++] =
			    (struct log_field)LOG_TEXT(log_fold_fields[i], fold->values[i]);
	}
	head.level = log_row(fold->event)->level; /* shown where the event itself is shown */
	log_line_make(&line, &head, fields);
	write_line(head.level, &line);
}

static bool is_wanted(enum log_event event)
{
	if (event == EVENT_ACCESS)
		return atomic_load(&writes_access);
	return (int)log_row(event)->level <= atomic_load(&level);
}

static void write_event(enum log_event event, const struct log_field *fields)
{
	struct log_head head = head_of(event);
	struct log_line line;

	log_line_make(&line, &head, fields);
	pthread_mutex_lock(&lock);
	write_line(head.level, &line);
	pthread_mutex_unlock(&lock);
}

/* Counts the event where it can be folded; true: it is to be written. */
static bool admits(enum log_event event, const struct log_field *fields)
{
	int64_t ms_now = clock_mono_ms();
	struct log_fold due;
	bool is_admitted;

	pthread_mutex_lock(&lock);
	is_admitted = log_fold_admits(&folds, event, fields, ms_now, &due);
	if (due.n > 0)
		write_fold(&due);
	pthread_mutex_unlock(&lock);
	return is_admitted;
}

static void emit(void *arg, enum log_event event, const struct log_field *fields)
{
	(void)arg;
	if (is_wanted(event) && (!log_fold_applies(event) || admits(event, fields)))
		write_event(event, fields);
}

/*
 * Root appends to no file that a symbolic link names: who may write to the directory, as the user
 * that root is given up for may, could have any file of the machine appended to.
 */
static int open_file(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	return open(path, geteuid() == 0 ? flags | O_NOFOLLOW : flags, 0640);
}

static err_t open_target(const char *name, struct target *out)
{
	int fd;

	*out = (struct target){.is_syslog = true, .fd = -1};
	if (strcmp(name, "syslog") == 0) {
		openlog("ocsprelay", LOG_PID | LOG_NDELAY, LOG_DAEMON);
		return OK;
	}
	out->is_syslog = false;
	if (strcmp(name, "stderr") == 0) {
		out->fd = STDERR_FILENO;
		return OK;
	}
	fd = open_file(name);
	if (fd < 0)
		return ERR_SYSTEM;
	out->fd = fd;
	out->is_own = true;
	return OK;
}

/* Under the lock. */
static void replace_target(const struct target *next)
{
	if (target.is_own)
		close(target.fd);
	if (target.is_syslog && !next->is_syslog)
		closelog();
	target = *next;
}

err_t log_sink_open(const struct settings_log *settings)
{
	struct target next;
	int named = log_level_named(settings->level);
	err_t err = open_target(settings->target, &next);

	if (err)
		return err;
	pthread_mutex_lock(&lock);
	replace_target(&next);
	pthread_mutex_unlock(&lock);
	atomic_store(&level, named < 0 ? LEVEL_NOTICE : named);
	atomic_store(&format, settings->format);
	atomic_store(&writes_access, settings->access != LOG_ACCESS_OFF);
	atomic_store(&is_bare, next.is_syslog);
	if (!is_installed)
		log_set_sink(emit, NULL);
	is_installed = true;
	return OK;
}

/* Under the lock. */
static void write_folds_due(int64_t ms_now)
{
	struct log_fold due;

	while (log_fold_due(&folds, ms_now, &due))
		write_fold(&due);
}

void log_sink_tick(void)
{
	pthread_mutex_lock(&lock);
	write_folds_due(clock_mono_ms());
	pthread_mutex_unlock(&lock);
}

void log_sink_close(void)
{
	log_set_sink(NULL, NULL);
	is_installed = false;
	pthread_mutex_lock(&lock);
	write_folds_due(INT64_MAX);
	replace_target(&(struct target){.fd = -1});
	pthread_mutex_unlock(&lock);
}
