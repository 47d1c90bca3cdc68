/* SPDX-License-Identifier: ISC */
/*
 * The load simulation: what reaches a CA's responders per client request, for relays that each have
 * a store of their own and for a fleet with a common one. A sampled certificate lives through its
 * refresh intervals, a draw for each: what that costs does not depend on how much is asked. The
 * formula beside it: doc/load.md. Same seed, same table.  load [SVG-FILE]; prints Markdown.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define PI	3.14159265358979323846
#define HOUR	3600.0
#define DAY	(24 * HOUR)
#define RATE	100.0	  /* client requests per second at each relay, on average over the day */
#define RHYTHM	0.8	  /* lambda(t) = lambda (1 + RHYTHM sin(2 pi t / DAY)) */
#define WARM	(2 * DAY) /* not counted */
#define END	(12 * DAY)
#define CERTAIN 50.0 /* that many requests are expected: exp(-50) is never drawn */
#define SPREAD	0.05 /* ranks per sample: 1 + SPREAD sqrt(rank), all of the first 400 */

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const double intervals[] = {12 * HOUR, HOUR};
static const double exponents[] = {0.9, 1.1};
static const double populations[] = {1e5, 1e6, 1e7};
static const double fleets[] = {1, 10, 100, 1000};

/* Upstream requests per client request. */
struct load {
	double simulated, predicted;
};

enum {
	APART,
	SHARED
};

/* --- chance ----------------------------------------------------------------------------------- */

static uint64_t state = 5;

/* splitmix64; in (0, 1] */
static double uniform(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-53;
}

/* The integral of the rhythm. */
static double weight(double from, double to)
{
	return to - from +
	       RHYTHM * DAY / (2 * PI) * (cos(2 * PI * from / DAY) - cos(2 * PI * to / DAY));
}

/* When the next request comes after t: by thinning of the rate at the height of the day. */
static double next_request(double lambda, double t)
{
	const double most = lambda * (1 + RHYTHM);

	do
		t -= log(uniform()) / most;
	while (t < END && uniform() * (1 + RHYTHM) > 1 + RHYTHM * sin(2 * PI * t / DAY));
	return t;
}

static int is_asked(double lambda, double from, double to)
{
	if (lambda * (1 - RHYTHM) * (to - from) > CERTAIN)
		return 1;
	return uniform() > exp(-lambda * weight(from, to));
}

/* --- one certificate -------------------------------------------------------------------------- */

/* Fetches between WARM and END. Valid for 2R, refreshed at R if it was asked for since it came; if
 * not, the first request after R fetches it: as a refresh behind the answer until 2R, as a miss
 * from then on, when it has run out. */
static unsigned fetches(double lambda, double interval)
{
	double t = next_request(lambda, 0);
	unsigned n = 0;

	while (t < END) {
		n += t >= WARM;
		if (is_asked(lambda, t, t + interval))
			t += interval;
		else
			t = next_request(lambda, t + interval);
	}
	return n;
}

/* The same on paper, per second. */
static double formula(double lambda, double interval)
{
	return lambda / (lambda * interval + exp(-lambda * interval));
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Ranks stand in blocks that widen with the rank; one of each, drawn at random, is simulated and
 * counts for its block. Returns the width of the block that begins at a rank. */
static double block(double rank, double population)
{
	return fmin(1 + floor(SPREAD * sqrt(rank)), population + 1 - rank);
}

static double harmonic(double population, double exponent)
{
	double sum = 0;

	for (double rank = 1, n; rank <= population; rank += n) {
		n = block(rank, population);
		sum += n * pow(rank + (n - 1) / 2, -exponent);
	}
	return sum;
}

/* Of one cache that is asked `rate` times per second. */
static struct load load_of(double rate, double population, double exponent, double interval)
{
	const double first = rate / harmonic(population, exponent);
	struct load load = {0, 0};

	for (double rank = 1, n; rank <= population; rank += n) {
		double drawn, middle;

		n = block(rank, population);
		drawn = first * pow(rank + ceil(n * uniform()) - 1, -exponent);
		middle = first * pow(rank + (n - 1) / 2, -exponent);
		load.simulated += n * fetches(drawn, interval) / (END - WARM) / rate;
		load.predicted += n * formula(middle, interval) / rate;
	}
	return load;
}

/* --- plot and table --------------------------------------------------------------------------- */

static const char *const colours[] = {"#2b6cb0", "#2f855a", "#c05621"};

static double x_of(double relays)
{
	return 60 + 270 * log10(relays) / 3;
}

static double y_of(double ratio)
{
	return 40 - 36 * log10(ratio); /* 1 to 1e-5 */
}

static void open_panel(FILE *svg, size_t panel, double interval, double exponent)
{
	fprintf(svg, "<g transform=\"translate(%.0f,%.0f)\">\n", 360.0 * (double)(panel % 2),
		20 + 260.0 * (double)(panel / 2));
	fprintf(svg, "<text x=\"60\" y=\"28\">refresh after %.0f h, Zipf %.1f</text>\n",
		interval / HOUR, exponent);
	for (int i = 0; i <= 5; i++)
		fprintf(svg,
			"<path d=\"M60 %.0fh270\" stroke=\"#ddd\"/>"
			"<text x=\"54\" y=\"%.0f\" text-anchor=\"end\">%g</text>\n",
			y_of(pow(10, -i)), y_of(pow(10, -i)) + 4, pow(10, -i));
	for (size_t i = 0; i < N(fleets); i++)
		fprintf(svg, "<text x=\"%.0f\" y=\"238\" text-anchor=\"middle\">%.0f</text>\n",
			x_of(fleets[i]), fleets[i]);
}

/* The line is the formula, the points are the simulation. */
static void draw(FILE *svg, const struct load *loads, const char *colour, const char *dashes)
{
	for (size_t i = 0; i < N(fleets); i++) {
		const double x = x_of(fleets[i]), y = y_of(loads[i].predicted);

		fprintf(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x,
			y_of(loads[i].simulated), colour);
		if (i > 0)
			fprintf(svg,
				"<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" "
				"stroke-dasharray=\"%s\"/>\n",
				x_of(fleets[i - 1]), y_of(loads[i - 1].predicted), x, y, colour,
				dashes);
	}
}

/* Relays with a store of their own are alike and independent, and each is asked at the same rate:
 * the ratio of one is the ratio of all. A fleet with a shared store is one cache. */
static void print_panel(FILE *svg, double interval, double exponent)
{
	struct load loads[2][N(fleets)]; /* apart, shared */

	for (size_t p = 0; p < N(populations); p++) {
		for (size_t i = 0; i < N(fleets); i++) {
			const double asked = fleets[i] * RATE * DAY;

			printf("| %.0f | %.0e | %.1f | %.3g |", fleets[i], populations[p], exponent,
			       asked);
			for (int how = 0; how <= 1; how++) {
				const struct load load =
				    load_of(how == 1 ? RATE * fleets[i] : RATE, populations[p],
					    exponent, interval);

				loads[how][i] = load;
				printf(" %.3g | %.4g | %.4g |", load.simulated * asked,
				       load.simulated, load.predicted);
			}
			putchar('\n');
		}
		draw(svg, loads[0], colours[p], "5 3");
		draw(svg, loads[1], colours[p], "none");
	}
}

int main(int argc, char **argv)
{
	FILE *svg = fopen(argc > 1 ? argv[1] : "load.svg", "w");

	if (svg == NULL)
		return 74;
	fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"590\" "
		     "font-family=\"sans-serif\" font-size=\"11\">\n"
		     "<rect width=\"720\" height=\"590\" fill=\"white\"/>\n"
		     "<text x=\"8\" y=\"18\" font-weight=\"bold\">Upstream requests per client "
		     "request, over the number of relays</text>\n"
		     "<text x=\"60\" y=\"552\">lines: formula; points: simulation; dashed: a store "
		     "each; solid: a shared store</text>\n");
	for (size_t p = 0; p < N(populations); p++)
		fprintf(svg, "<text x=\"%zu\" y=\"572\" fill=\"%s\">%.0e certificates</text>\n",
			60 + 130 * p, colours[p], populations[p]);
	for (size_t panel = 0; panel < N(intervals) * N(exponents); panel++) {
		const double interval = intervals[panel / 2], exponent = exponents[panel % 2];

		if (panel % 2 == 0)
			printf("\nRefresh after %.0f h:\n\n| relays | certificates | Zipf | "
			       "client/day "
			       "| apart/day | ratio | formula | shared/day | ratio | formula |\n"
			       "|---|---|---|---|---|---|---|---|---|---|\n",
			       interval / HOUR);
		open_panel(svg, panel, interval, exponent);
		print_panel(svg, interval, exponent);
		fprintf(svg, "</g>\n");
	}
	fprintf(svg, "</svg>\n");
	return fclose(svg) == 0 ? 0 : 74;
}
