/* SPDX-License-Identifier: ISC */
/* The pictures: runways against a common axis of time, and plots of the last hours. */

/* --- runways ---------------------------------------------------------------------------------- */

const AXIS_MAX = 366 * DAY;
const RUNWAY_TICKS = [[10 * MINUTE, "10 min"], [HOUR, "1 h"], [6 * HOUR, "6 h"], [DAY, "1 d"],
	[3 * DAY, "3 d"], [7 * DAY, "7 d"], [14 * DAY, "14 d"], [30 * DAY, "30 d"],
	[90 * DAY, "90 d"], [AXIS_MAX, "1 y"]];

/* Seconds to pixels. The root lets one see an hour beside a week. */
function runwayScale(longest, width) {
	const max = Math.min(Math.max(longest, HOUR), AXIS_MAX);

	return t => Math.sqrt(Math.min(Math.max(t, 0), max) / max) * width;
}

/* Of at least so many pixels: what is there is to be seen. */
function band(name, from, to) {
	return svg("rect", {class: name, x: from.toFixed(1), y: 4, height: 14,
		width: Math.max(to - from, to > from ? 1 : 0).toFixed(1)});
}

function runwayAxis(x, longest, width) {
	const parts = [svg("line", {class: "axis", x1: 0, y1: 24.5, x2: width, y2: 24.5})];
	let free = 40;

	for (const [t, text] of RUNWAY_TICKS.filter(([t]) => t <= Math.max(longest, HOUR))) {
		if (x(t) < free || x(t) > width)
			continue;
		free = x(t) + 42;
		parts.push(svg("line", {class: "axis", x1: x(t), y1: 0, x2: x(t), y2: 27}),
			svg("text", {x: x(t), y: 38, "text-anchor": x(t) > width - 18 ? "end" : "middle"},
				text));
	}
	return [...parts, svg("text", {x: 0, y: 38}, "now")];
}

/* issuer: of the API; longest: of all issuers, so that one can compare them. */
function drawRunway(issuer, longest, width) {
	const {first, median, last} = issuer.runway;
	const x = runwayScale(longest, width - 2);
	const warning = issuer.runway_warning;
	const label = `Runway: the first answer runs out in ${span(first)}, half of them within ` +
		`${span(median)}, the last in ${span(last)}`;

	return svg("svg", {class: "runway", width, height: 42, role: "img", "aria-label": label},
		runwayAxis(x, longest, width - 2),
		band("all", 0, x(first)), band("half", x(first), x(median)),
		band("some", x(median), x(last)),
		[first, median, last].map(t =>
			svg("line", {class: "mark", x1: x(t), y1: 1, x2: x(t), y2: 21})),
		warning > 0 && warning <= longest ?
			svg("line", {class: "warning", x1: x(warning), y1: 0, x2: x(warning), y2: 24}) : null);
}

/* --- plots ------------------------------------------------------------------------------------ */

const MARGIN = {left: 52, right: 10, top: 8, bottom: 20};

/* Samples of the API as objects, in buckets that are at least three pixels wide. */
function buckets(history, hours, width) {
	const end = history.current[0], start = end - hours * HOUR;
	const n = Math.max(1, Math.min(Math.floor(width / 3), hours * 60));
	const length = hours * HOUR / n;
	const made = [];

	for (const row of [...history.samples, history.current]) {
		const one = Object.fromEntries(history.columns.map((name, i) => [name, row[i]]));
		const i = Math.min(n - 1, Math.floor((one.time - start) / length));

		if (one.time <= start || one.time > end || one.seconds === 0)
			continue;
		(made[i] ??= []).push(one);
	}
	return {start, end, length, list: made.filter(Boolean).map(parts => summed(parts, start))};
}

/* Medians are weighed by how many they are of; of the 99th percentiles the worst is shown. */
function summed(parts, start) {
	const sum = name => parts.reduce((total, part) => total + part[name], 0);
	const mean = (name, of) =>
		parts.reduce((total, part) => total + part[name] * part[of], 0) / (sum(of) || 1);
	const worst = name => Math.max(...parts.map(part => part[name]));
	const from = Math.max(start, parts[0].time - parts[0].seconds);
	const to = parts[parts.length - 1].time;

	return {
		from, to, time: (from + to) / 2,
		hits: sum("hits") / sum("seconds"), misses: sum("misses") / sum("seconds"),
		errors: sum("errors") / sum("seconds"),
		hit_p50: mean("hit_p50", "hits"), hit_p99: worst("hit_p99"),
		miss_p50: mean("miss_p50", "misses"), miss_p99: worst("miss_p99"),
	};
}

/* 1, 2 or 5 times a power of ten, so that about three of them reach max */
function step(max) {
	const power = 10 ** Math.floor(Math.log10(max / 3));

	return power * [1, 2, 5, 10].find(factor => factor * power * 3 >= max * 0.999);
}

function timeTicks(start, end, width) {
	const every = [10, 15, 30, 60, 120, 180, 240, 360].map(minutes => minutes * MINUTE)
		.find(length => (end - start) / length <= width / 56) ?? 6 * HOUR;
	const ticks = [];

	for (let t = Math.ceil(start / every) * every; t <= end; t += every)
		ticks.push(t);
	return ticks;
}

/* The frame of a plot: what is drawn inside gets x(time), y(value). */
function frame(size, range, yTicks, y, name) {
	const inner = size.width - MARGIN.left - MARGIN.right;
	const x = t => MARGIN.left + (t - range.start) / (range.end - range.start) * inner;
	const bottom = size.height - MARGIN.bottom;
	const parts = [];

	for (const [value, text] of yTicks)
		parts.push(svg("line", {class: "axis", x1: MARGIN.left, x2: size.width - MARGIN.right,
			y1: y(value), y2: y(value)}),
			svg("text", {x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end"}, text));
	for (const t of timeTicks(range.start, range.end, inner))
		parts.push(svg("line", {class: "axis", x1: x(t), x2: x(t), y1: bottom, y2: bottom + 4}),
			svg("text", {x: Math.min(x(t), size.width - 18), y: size.height - 4,
				"text-anchor": "middle"}, clock(t, t, false)));
	return {x, root: svg("svg", {width: size.width, height: size.height, role: "img",
		"aria-label": name}, parts)};
}

/* Runs of buckets without a gap of more than so many seconds between them. */
function runs(list, has, gap) {
	const made = [];
	let end = -Infinity;

	for (const bucket of list.filter(has)) {
		if (bucket.from - end > gap)
			made.push([]);
		made[made.length - 1].push(bucket);
		end = bucket.to;
	}
	return made;
}

const path = points => points.map(([x, y], i) =>
	`${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/* Steps: a bucket's value holds for the whole of it. */
function area(run, x, low, high) {
	const points = [], back = [];

	for (const bucket of run) {
		points.push([x(bucket.from), high(bucket)], [x(bucket.to), high(bucket)]);
		back.unshift([x(bucket.to), low(bucket)], [x(bucket.from), low(bucket)]);
	}
	return `${path([...points, ...back])}Z`;
}

const REQUEST_LAYERS = ["hits", "misses", "errors"];

function drawRequests(data, size) {
	const below = (bucket, i) => REQUEST_LAYERS.slice(0, i).reduce((sum, name) => sum + bucket[name], 0);
	const max = Math.max(0.3, ...data.list.map(bucket => below(bucket, 3)));
	const every = step(max), top = Math.ceil(max / every - 0.001) * every;
	const bottom = size.height - MARGIN.bottom;
	const y = value => bottom - value / top * (bottom - MARGIN.top);
	const ticks = Array.from({length: Math.round(top / every) + 1}, (_, i) => {
		const value = i * every;

		return [value, value >= 1e4 ? brief(value) : String(Number(value.toPrecision(3)))];
	});
	const {x, root} = frame(size, data, ticks, y,
		`Requests per second, at most ${rate(max)}, by hits, misses and errors`);

	for (const run of runs(data.list, () => true, MINUTE)) {
		REQUEST_LAYERS.forEach((name, i) => root.append(svg("path", {class: `area ${name}`,
			d: area(run, x, bucket => y(below(bucket, i)),
				bucket => y(below(bucket, i + 1)))})));
	}
	return {x, root};
}

const LATENCY_LINES = [["hit_p50", "hits"], ["hit_p99", "hits"], ["miss_p50", "misses"],
	["miss_p99", "misses"]];

function drawLatency(data, size) {
	const values = data.list.flatMap(bucket => LATENCY_LINES.filter(([, of]) => bucket[of] > 0)
		.map(([name]) => bucket[name]));
	const low = Math.floor(Math.log10(Math.max(1, Math.min(100, ...values))));
	const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(1, ...values))));
	const bottom = size.height - MARGIN.bottom;
	const y = us => bottom - (Math.log10(Math.max(us, 10 ** low)) - low) / (high - low) *
		(bottom - MARGIN.top);
	const ticks = Array.from({length: high - low + 1}, (_, i) =>
		[10 ** (low + i), latency(10 ** (low + i))]);
	const {x, root} = frame(size, data, ticks, y,
		"Time to answer, median and 99th percentile of hits and misses, on a scale of powers of ten");

	for (const [name, of] of LATENCY_LINES) {
		for (const run of runs(data.list, bucket => bucket[of] > 0, 4 * data.length + MINUTE)) {
			const points = run.map(bucket => [x(bucket.time), y(bucket[name])]);

			root.append(points.length > 1 ? svg("path", {class: `line ${name}`, d: path(points)}) :
				svg("circle", {class: `dot ${name}`, cx: points[0][0], cy: points[0][1], r: 1.8}));
		}
	}
	return {x, root};
}
