/* SPDX-License-Identifier: ISC */
/*
 * posix_spawn, which copies no page tables: the relay may be large. Ends are looked for by process
 * id and timer, so no signal is needed and no other child of the process is taken from anybody.
 */
#include "io/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "io/clock.h"
#include "io/files.h"

#define MS_LOOK 50 /* between looks for ends, while any program runs */

struct program {
	struct list link;      /* in waiting or running */
	struct text_list argv; /* the program itself first; items[n] is NULL */
	struct text_list env;
	bool is_heard;
	const char *what;
	int64_t ms_limit, ms_kill_at;
	pid_t pid;
	bool is_killed;
};

struct runner {
	struct loop *loop;
	runner_fn *fn;
	void *arg;
	struct timer *look; /* NULL while nothing runs */
	struct list waiting, running;
	unsigned n_waiting, n_running;
};

static void program_free(struct program *program)
{
	text_list_free(&program->env);
	text_list_free(&program->argv);
	free(program);
}

/* --- starting --------------------------------------------------------------------------------- */

static int set_files(posix_spawn_file_actions_t *files, bool is_heard)
{
	int error = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (error == 0 && is_heard)
		error = posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
	else if (error == 0)
		error = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null",
							 O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	return error;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							POSIX_SPAWN_SETPGROUP);
}

/* 0 or errno. */
static int spawn(struct program *program)
{
	char *const *argv = program->argv.items;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&files);

	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		error = set_files(&files, program->is_heard);
		if (error == 0)
			error = set_attributes(&attributes);
		if (error == 0)
			error = posix_spawn(&program->pid, argv[0], &files, &attributes, argv,
					    program->env.items);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return error;
}

static void on_look(void *arg);

/* As many as may. One that cannot be started has ended. */
static void start_next(struct runner *runner)
{
	while (runner->n_running < RUNNER_AT_ONCE && !list_is_empty(&runner->waiting)) {
		struct program *program =
		    LIST_ENTRY(list_shift(&runner->waiting), struct program, link);
		struct runner_end end = {.what = program->what};

		runner->n_waiting--;
		if (runner->look == NULL)
			runner->look = timer_every(runner->loop, MS_LOOK, on_look, runner);
		end.error = runner->look != NULL ? spawn(program) : ENOMEM;
		if (end.error != 0) {
			program_free(program);
			runner->fn(runner->arg, &end);
			continue;
		}
		program->ms_kill_at = clock_mono_ms() + program->ms_limit;
		list_append(&runner->running, &program->link);
		runner->n_running++;
	}
	if (runner->n_running == 0) {
		timer_cancel(runner->look);
		runner->look = NULL;
	}
}

/* Takes args. False without memory: nothing was taken. */
static bool make_argv(const char *program, const struct text_list *args, struct text_list *out)
{
	char **items = calloc(args->n + 2, sizeof(char *));

	if (items == NULL)
		return false;
	items[0] = strdup(program);
	if (items[0] == NULL) {
		free(items);
		return false;
	}
	if (args->n > 0)
		memcpy(items + 1, args->items, args->n * sizeof(char *));
	free(args->items);
	*out = (struct text_list){.items = items, .n = args->n + 1};
	return true;
}

err_t runner_add(struct runner *runner, const struct runner_job *job)
{
	struct program *program = NULL;
	struct text_list args = job->args, env = job->env;

	if (runner->n_waiting < RUNNER_WAITING)
		program = calloc(1, sizeof(*program));
	if (program == NULL || !make_argv(job->program, &args, &program->argv)) {
		free(program);
		text_list_free(&args);
		text_list_free(&env);
		return runner->n_waiting < RUNNER_WAITING ? ERR_NO_MEMORY : ERR_BUSY;
	}
	program->env = env;
	program->is_heard = job->is_heard;
	program->what = job->what;
	program->ms_limit = job->ms_limit;
	list_append(&runner->waiting, &program->link);
	runner->n_waiting++;
	start_next(runner);
	return OK;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void kill_group(struct program *program)
{
	kill(-program->pid, SIGKILL);
	program->is_killed = true;
}

/* True: it has ended. */
static bool reap(struct program *program, struct runner_end *end)
{
	int status;
	pid_t pid = waitpid(program->pid, &status, WNOHANG);

	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	*end = (struct runner_end){.what = program->what, .is_killed = program->is_killed};
	if (pid < 0)
		end->error = errno;
	else if (WIFSIGNALED(status))
		end->signal = WTERMSIG(status);
	end->exit_status = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}

static void on_look(void *arg)
{
	struct runner *runner = arg;
	int64_t ms_now = clock_mono_ms();
	struct list *node = runner->running.next, *next;

	for (; node != &runner->running; node = next) {
		struct program *program = LIST_ENTRY(node, struct program, link);
		struct runner_end end;

		next = node->next;
		if (!reap(program, &end)) {
			if (ms_now >= program->ms_kill_at)
				kill_group(program);
			continue;
		}
		list_remove(&program->link);
		runner->n_running--;
		program_free(program);
		runner->fn(runner->arg, &end);
	}
	start_next(runner);
}

/* --- wiring ----------------------------------------------------------------------------------- */

struct runner *runner_new(struct loop *loop, runner_fn *fn, void *arg)
{
	struct runner *runner = calloc(1, sizeof(*runner));

	if (runner == NULL)
		return NULL;
	runner->loop = loop;
	runner->fn = fn;
	runner->arg = arg;
	list_init(&runner->waiting);
	list_init(&runner->running);
	return runner;
}

/* Who does not die at once is left to init. */
void runner_free(struct runner *runner)
{
	struct list *node;

	if (runner == NULL)
		return;
	timer_cancel(runner->look);
	while ((node = list_shift(&runner->waiting)) != NULL)
		program_free(LIST_ENTRY(node, struct program, link));
	while ((node = list_shift(&runner->running)) != NULL) {
		struct program *program = LIST_ENTRY(node, struct program, link);
		struct runner_end end;

		kill_group(program);
		(void)reap(program, &end);
		program_free(program);
	}
	free(runner);
}
