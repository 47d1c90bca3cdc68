/* SPDX-License-Identifier: ISC */
/*
 * The alternate screen of the terminal (xterm's, which all have), drawn over from the top left in
 * one write, so that nothing flickers. Rule 35: what a signal has to give back is global; there is
 * no other way to it.
 */
#include "cmd/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "io/clock.h"

#define MAX_FRAME 1048576
#define TAKE	  "\033[?1049h\033[?25l" /* alternate screen, no cursor */
#define GIVE_BACK "\033[0m\033[?25h\033[?1049l"

static struct termios before;
static bool has_screen, has_keys;

static void put(const void *p, size_t len)
{
	const char *at = p;
	ssize_t n;

	while (len > 0 && (n = write(STDOUT_FILENO, at, len)) > 0) {
		at += n;
		len -= (size_t)n;
	}
}

/* Also from a signal. */
static void give_back(void)
{
	if (has_screen)
		put(GIVE_BACK, sizeof(GIVE_BACK) - 1);
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void on_signal(int number)
{
	give_back();
	if (number == SIGINT)
		_exit(0); /* the usual end */
	signal(number, SIG_DFL);
	raise(number);
}

/* Keys come at once and are not shown; Ctrl-Z, which would leave the screen to the shell, is none.
 */
static void take_keys(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
		return;
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	has_keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

bool screen_open(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = on_signal};

	if (!isatty(STDOUT_FILENO))
		return false;
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	take_keys();
	has_screen = true;
	put(TAKE, sizeof(TAKE) - 1);
	return true;
}

void screen_close(void)
{
	give_back();
	has_screen = has_keys = false;
}

/* As much of a line as there are columns for; colours take none. */
static void put_line(struct buf *out, struct slice line, unsigned columns)
{
	uint32_t code;

	while (line.len > 0) {
		const uint8_t *end = *line.p == '\033' ? memchr(line.p, 'm', line.len) : NULL;
		size_t n = end ? (size_t)(end - line.p) + 1 : utf8_decode(line, &code);

		if (end == NULL && columns-- == 0)
			break;
		n = n > 0 ? n : 1;
		buf_append(out, line.p, n);
		line = slice_skip(line, n);
	}
	buf_text(out, "\033[0m\033[K");
}

static void draw(struct slice page)
{
	struct winsize size;
	bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
	unsigned rows = is_known ? size.ws_row : 24, columns = is_known ? size.ws_col : 80;
	struct buf frame;

	buf_init(&frame, MAX_FRAME);
	buf_text(&frame, "\033[H");
	for (unsigned row = 0; row < rows && page.len > 0; row++) {
		const uint8_t *end = memchr(page.p, '\n', page.len);
		size_t len = end ? (size_t)(end - page.p) : page.len;

		buf_text(&frame, row > 0 ? "\r\n" : "");
		put_line(&frame, slice_take(page, len), columns);
		page = slice_skip(page, end ? len + 1 : len);
	}
	buf_text(&frame, "\033[J");
	put(frame.p, frame.len);
	buf_fini(&frame);
}

bool screen_show(struct slice page)
{
	if (has_screen) {
		draw(page);
		return true;
	}
	fwrite(page.p, 1, page.len, stdout);
	return fflush(stdout) == 0;
}

bool screen_wait(int64_t ms)
{
	struct pollfd keys = {.fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN};
	int64_t until = clock_mono_ms() + ms, left;
	char key;

	while ((left = until - clock_mono_ms()) > 0) {
		if (poll(&keys, 1, left < 60000 ? (int)left : 60000) <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q')
			return false;
	}
	return true;
}
