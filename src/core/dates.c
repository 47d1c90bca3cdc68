/* SPDX-License-Identifier: ISC */
/*
 * Dates of ASN.1, HTTP and logs. The calendar is computed here, because timegm and strptime bring
 * locales, tolerance and years of their own. Reading is by pattern, one per form, each octet
 * accounted for; the hot path only writes.
 */
#include "core/dates.h"

#include <string.h>

#include "base/bytes.h"

#define SECONDS_OF_DAY 86400
#define MIN_TIME       INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define MAX_TIME       INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday"};

struct date {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
	int weekday; /* from Sunday = 0 */
};

/*
 * Both ways between days and the calendar count years from March, so that the leap day is the last
 * of a year and months begin at (153 * month + 2) / 5, in eras of 400 years or 146097 days. One era
 * is added to keep what is divided positive. 719468: days from 0000-03-01 to 1970-01-01.
 */
static int64_t days_of(const struct date *date)
{
	int month = date->month > 2 ? date->month - 3 : date->month + 9;
	int year = date->year + 400 - (date->month <= 2);
	int days = year * 365 + year / 4 - year / 100 + year / 400;

	return days + (153 * month + 2) / 5 + date->day - 1 - 146097 - 719468;
}

static void date_of(struct date *date, int64_t t)
{
	int days, seconds, day_of_era, year_of_era, day_of_year, month;

	t = t < MIN_TIME ? MIN_TIME : t > MAX_TIME ? MAX_TIME : t;
	days = (int)((t - MIN_TIME) / SECONDS_OF_DAY); /* from 0000-01-01, a Saturday */
	seconds = (int)((t - MIN_TIME) % SECONDS_OF_DAY);
	date->weekday = (days + 6) % 7;
	date->hour = seconds / 3600;
	date->minute = seconds / 60 % 60;
	date->second = seconds % 60;

	days += 146097 - 60; /* one era before 0000-03-01 */
	day_of_era = days % 146097;
	year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	date->day = day_of_year - (153 * month + 2) / 5 + 1;
	date->month = month < 10 ? month + 3 : month - 9;
	date->year = (days / 146097 - 1) * 400 + year_of_era + (date->month <= 2);
}

static int64_t time_of(const struct date *date)
{
	return days_of(date) * SECONDS_OF_DAY + date->hour * 3600 + date->minute * 60 +
	       date->second;
}

static bool is_in_calendar(const struct date *date, int max_second)
{
	static const uint8_t month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

	if (date->month < 1 || date->month > 12 || date->day < 1)
		return false;
	if (date->day > month_days[date->month - 1] + (date->month == 2 && is_leap))
		return false;
	return date->hour <= 23 && date->minute <= 59 && date->second <= max_second;
}

static bool read_number(struct slice *text, size_t n_digits, int *out)
{
	uint64_t n;

	if (text->len < n_digits || decimal_decode(slice_take(*text, n_digits), 9999, &n) != OK)
		return false;
	*text = slice_skip(*text, n_digits);
	*out = (int)n;
	return true;
}

/* One of n names, or the first len octets of one: its index. */
static bool read_name(struct slice *text, const char *const *names, int n, size_t len, int *out)
{
	int i;

	for (i = 0; i < n; i++) {
		struct slice name = slice_take(slice_text(names[i]), len);

		if (slice_eq(slice_take(*text, name.len), name)) {
			*text = slice_skip(*text, name.len);
			*out = i;
			return true;
		}
	}
	return false;
}

/* One conversion of strptime's letters; %e is a day padded with a blank. */
static bool read_part(struct slice *text, char part, struct date *date)
{
	switch (part) {
	case 'a':
		return read_name(text, day_names, 7, 3, &date->weekday);
	case 'A':
		return read_name(text, day_names, 7, SIZE_MAX, &date->weekday);
	case 'b':
		if (!read_name(text, month_names, 12, SIZE_MAX, &date->month))
			return false;
		date->month++;
		return true;
	case 'e':
		if (text->len > 0 && *text->p == ' ') {
			*text = slice_skip(*text, 1);
			return read_number(text, 1, &date->day);
		}
		return read_number(text, 2, &date->day);
	case 'Y':
		return read_number(text, 4, &date->year);
	case 'y':
		return read_number(text, 2, &date->year);
	case 'm':
		return read_number(text, 2, &date->month);
	case 'd':
		return read_number(text, 2, &date->day);
	case 'H':
		return read_number(text, 2, &date->hour);
	case 'M':
		return read_number(text, 2, &date->minute);
	default:
		return read_number(text, 2, &date->second);
	}
}

/* Reads all of text; what the pattern does not mention stays. */
static bool read_pattern(struct slice text, const char *pattern, struct date *date)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '%') {
			if (!read_part(&text, *++pattern, date))
				return false;
		} else {
			if (text.len == 0 || *text.p != (uint8_t)*pattern)
				return false;
			text = slice_skip(text, 1);
		}
	}
	return text.len == 0;
}

err_t date_from_generalized(struct slice content, int64_t *out_t)
{
	struct date date = {.weekday = 0};

	if (!read_pattern(content, "%Y%m%d%H%M%SZ", &date) || !is_in_calendar(&date, 59))
		return ERR_RSP_TIME;
	*out_t = time_of(&date);
	return OK;
}

/* The year of two digits that is nearest to now: at most 50 years ahead (RFC 9110 5.6.7). */
static int full_year(int two_digits, int64_t now)
{
	struct date today;
	int year;

	date_of(&today, now);
	year = today.year - today.year % 100 + two_digits;
	if (year > today.year + 50)
		return year - 100;
	return year <= today.year - 50 ? year + 100 : year;
}

err_t date_from_http(struct slice text, int64_t now, int64_t *out_t)
{
	struct date date = {.year = 0}, check;

	if (read_pattern(text, "%A, %d-%b-%y %H:%M:%S GMT", &date))
		date.year = full_year(date.year, now);
	else if (!read_pattern(text, "%a, %d %b %Y %H:%M:%S GMT", &date) &&
		 !read_pattern(text, "%a %b %e %H:%M:%S %Y", &date))
		return ERR_SYNTAX;
	if (!is_in_calendar(&date, 60)) /* the form knows leap seconds */
		return ERR_SYNTAX;
	date_of(&check, days_of(&date) * SECONDS_OF_DAY);
	if (check.weekday != date.weekday)
		return ERR_SYNTAX;
	*out_t = time_of(&date);
	return OK;
}

err_t date_from_iso(struct slice text, int64_t *out_t)
{
	struct date date = {.weekday = 0};
	uint64_t seconds;

	if (decimal_decode(text, (uint64_t)MAX_TIME, &seconds) == OK) {
		*out_t = (int64_t)seconds;
		return OK;
	}
	if (!read_pattern(text, "%Y-%m-%dT%H:%M:%SZ", &date) || !is_in_calendar(&date, 59))
		return ERR_SYNTAX;
	*out_t = time_of(&date);
	return OK;
}

static void put_two(char *dst, int n)
{
	memcpy(dst, two_digits((uint64_t)n), 2);
}

static void put_clock(char *dst, const struct date *date)
{
	put_two(dst, date->hour);
	put_two(dst + 3, date->minute);
	put_two(dst + 6, date->second);
}

void date_to_http(char *dst, int64_t t)
{
	struct date date;

	date_of(&date, t);
	memcpy(dst, "Xxx, 00 Xxx 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(dst, day_names[date.weekday], 3);
	put_two(dst + 5, date.day);
	memcpy(dst + 8, month_names[date.month - 1], 3);
	put_two(dst + 12, date.year / 100);
	put_two(dst + 14, date.year % 100);
	put_clock(dst + 17, &date);
}

void date_to_iso(char dst[ISO_DATE_SIZE], int64_t t)
{
	struct date date;

	date_of(&date, t);
	memcpy(dst, "0000-00-00T00:00:00Z", ISO_DATE_SIZE);
	put_two(dst, date.year / 100);
	put_two(dst + 2, date.year % 100);
	put_two(dst + 5, date.month);
	put_two(dst + 8, date.day);
	put_clock(dst + 11, &date);
}
