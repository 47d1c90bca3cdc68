/* SPDX-License-Identifier: ISC */
/*
 * libevent's evhttp with the same answer as the others: what a server costs that is written on top
 * of it.  evhttp PORT ANSWER-FILE: a head and a body, as limit.c has them.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER 65536
#define MAX_FIELDS 32

struct page {
	char octets[MAX_ANSWER];
	const char *names[MAX_FIELDS], *values[MAX_FIELDS];
	size_t n_fields;
	const char *body;
	size_t body_len;
};

static void on_request(struct evhttp_request *request, void *arg)
{
	const struct page *page = arg;

	for (size_t i = 0; i < page->n_fields; i++)
		evhttp_add_header(evhttp_request_get_output_headers(request), page->names[i],
				  page->values[i]);
	evbuffer_add_reference(evhttp_request_get_output_buffer(request), page->body,
			       page->body_len, NULL, NULL);
	evhttp_send_reply(request, 200, "OK", NULL);
}

/* Takes the head apart in place. */
static int read_page(struct page *page, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t len;
	char *line, *end;

	if (file == NULL)
		return -1;
	len = fread(page->octets, 1, sizeof(page->octets) - 1, file);
	fclose(file);
	end = strstr(page->octets, "\r\n\r\n");
	if (end == NULL)
		return -1;
	page->body = end + 4;
	page->body_len = len - (size_t)(page->body - page->octets);
	*end = '\0';
	strtok(page->octets, "\r\n");
	while ((line = strtok(NULL, "\r\n")) != NULL && page->n_fields < MAX_FIELDS) {
		char *colon = strstr(line, ": ");

		if (colon == NULL)
			continue;
		*colon = '\0';
		page->names[page->n_fields] = line;
		page->values[page->n_fields++] = colon + 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct page page;
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);

	if (argc != 3 || read_page(&page, argv[2]) != 0 || http == NULL)
		return 64;
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD);
	evhttp_set_gencb(http, on_request, &page);
	if (evhttp_bind_socket(http, "127.0.0.1", (unsigned short)atoi(argv[1])) != 0)
		return 71;
	return event_base_dispatch(base);
}
