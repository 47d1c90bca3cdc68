/* SPDX-License-Identifier: ISC */
/* The files of a configuration: the first one, and those that include() puts in its place. */
#include "ctl/config_text.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/config_statements.h"
#include "io/files.h"

#define MAX_TEXT_LEN (16 << 20)
#define MAX_FILES    1000
#define MAX_DEPTH    16 /* of includes */

/* The files that are being read, innermost first. */
struct config_chain {
	const struct config_chain *up;
	const char *path;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

static void include(struct config_reader *reader, const struct option_section *section,
		    const char *pattern);

/* Reads the statements of one file, which is open in contents, into the text. */
static void scan_file(struct config_text *text, const struct buf *contents,
		      const struct config_chain *chain, const struct option_section *section)
{
	struct config_reader reader = {.chain = chain, .include = include};
	const char *octets = contents->len > 0 ? (const char *)contents->p : "";
	struct config_token token;

	reader.scan = (struct config_scan){
	    .text = text,
	    .p = octets,
	    .end = octets + contents->len,
	    .file = config_report_file(text->report, chain->path),
	    .line = 1,
	};
	config_report_line(text->report, reader.scan.file, 1);
	config_statements_read(&reader, section);
	for (token = config_scan_look(&reader.scan); config_token_is_mark(&token, '}');
	     token = config_scan_look(&reader.scan)) {
		config_report_add(text->report, CONFIG_ERROR, 0, "syntax: a } without its {");
		text->is_broken = true;
		config_scan_blank(&reader.scan, &token);
		config_statements_read(&reader, section);
	}
}

/* Reads a file's octets. On failure why says what is wrong with it; errno is that of ERR_SYSTEM. */
static err_t read_octets(struct config_chain *file, struct buf *out, const char **why)
{
	struct stat status = {.st_ino = 0};
	err_t err = file_read(file->path, out);

	*why = err == ERR_SYSTEM ? strerror(errno) : "is too large";
	if (err)
		return err;
	if (out->len > 0 && memchr(out->p, '\0', out->len)) {
		*why = "is no text";
		return ERR_SYNTAX;
	}
	if (stat(file->path, &status) == 0) {
		file->dev = status.st_dev;
		file->ino = status.st_ino;
	}
	for (const struct config_chain *outer = file->up; outer; outer = outer->up) {
		if (file->ino && outer->dev == file->dev && outer->ino == file->ino) {
			*why = "includes itself";
			return ERR_SYNTAX;
		}
	}
	return OK;
}

static void include_file(struct config_reader *reader, const struct option_section *section,
			 const char *path)
{
	struct config_text *text = reader->scan.text;
	struct config_chain file = {
	    .up = reader->chain, .path = path, .depth = reader->chain->depth + 1};
	struct buf contents;
	const char *why = NULL;

	buf_init(&contents, MAX_TEXT_LEN);
	if (file.depth > MAX_DEPTH || text->report->files.n >= MAX_FILES)
		why = "too many files, or too deep in one another";
	else if (read_octets(&file, &contents, &why) == OK)
		why = NULL;
	if (why) {
		config_report_add(text->report, CONFIG_ERROR, 0, "include: %s: %s", path, why);
	} else {
		buf_text(&text->text, "\n");
		scan_file(text, &contents, &file, section);
		buf_text(&text->text, "\n");
		config_report_line(text->report, reader->scan.file, reader->scan.line);
	}
	buf_fini(&contents);
}

/* All files that match pattern, which is relative to the file that has the include. None is fine
 * for a pattern with wildcards. */
static void include(struct config_reader *reader, const struct option_section *section,
		    const char *pattern)
{
	const char *slash = strrchr(reader->chain->path, '/');
	int dir_len = pattern[0] == '/' || !slash ? 0 : (int)(slash + 1 - reader->chain->path);
	char path[2 * PATH_MAX];
	glob_t found;
	int result;

	snprintf(path, sizeof(path), "%.*s%s", dir_len, reader->chain->path, pattern);
	result = glob(path, 0, NULL, &found);
	if (result == GLOB_NOSPACE)
		reader->scan.text->report->err = ERR_NO_MEMORY;
	else if (result != 0 && !strpbrk(pattern, "*?["))
		config_report_add(reader->scan.text->report, CONFIG_ERROR, 0,
				  "include: %s: no such file", path);
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
		include_file(reader, section, found.gl_pathv[i]);
	if (result == 0)
		globfree(&found);
}

err_t config_text_read(const char *path, struct config_report *report, struct config_text *out)
{
	struct config_chain file = {.path = path};
	struct buf contents;
	const char *why;
	err_t err;

	*out = (struct config_text){.report = report};
	buf_init(&out->text, 2 * MAX_TEXT_LEN);
	buf_init(&contents, MAX_TEXT_LEN);
	err = read_octets(&file, &contents, &why);
	if (err == ERR_SYNTAX) {
		config_report_line(report, config_report_file(report, path), 1);
		config_report_add(report, CONFIG_ERROR, 0, "syntax: %s", why);
		err = OK;
	} else if (!err) {
		scan_file(out, &contents, &file, option_sections);
	}
	buf_fini(&contents);
	buf_append(&out->text, "", 1);
	if (!err && out->text.err)
		err = out->text.err;
	return err ? err : report->err;
}

void config_text_blank(struct config_text *text, size_t start)
{
	for (size_t i = start; i < text->text.len; i++) {
		if (text->text.p[i] != '\n')
			text->text.p[i] = ' ';
	}
}

void config_text_fini(struct config_text *text)
{
	for (size_t i = 0; i < text->n_marks; i++)
		free(text->marks[i].title);
	free(text->marks);
	buf_fini(&text->text);
	*text = (struct config_text){.marks = NULL};
}
