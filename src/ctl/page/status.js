/* SPDX-License-Identifier: ISC */
/* What the page shows, and how it is kept up to date. */

const MS_POLL = 5000, MS_HISTORY = 30000, MS_TIMEOUT = 10000, MAX_ISSUERS = 100, SOON = 14 * DAY;

const page = {
	status: null, history: null, expiring: [], events: [], previous: null,
	msHistory: -Infinity, hours: 6, cursor: {}, drawn: {}, timer: 0, isAsking: false,
	width: 0,
};
const now = () => seconds(page.status.now);
const byId = id => document.getElementById(id);
const reveal = (id, is) => { byId(id).hidden = !is; };
const hitsOf = requests => requests.hit + requests.refreshed;
const missesOf = requests => requests.miss + requests.collapsed + requests.negative;
const total = counts => Object.values(counts).reduce((sum, n) => sum + n, 0);
const runsOut = runway => runway ? `the first answer runs out in ${span(runway.first)}` :
	"no answer is in use";

/* --- health ----------------------------------------------------------------------------------- */

function issuerTroubles(issuer) {
	const dead = issuer.responders.filter(one => !one.up);
	const left = seconds(issuer.not_after) - now();
	const found = [];

	if (issuer.rehearsal)
		found.push(`an outage of ${issuer.name} is rehearsed for ` +
			`${span(issuer.rehearsal.seconds_left)} more; ${runsOut(issuer.runway)}`);
	else if (issuer.down && issuer.responders.length > 0)
		found.push(`${issuer.name}: no responder works; ${runsOut(issuer.runway)}`);
	else if (issuer.down)
		found.push(`${issuer.name}: no responder is known`);
	else
		found.push(...dead.map(one => `${issuer.name}: ${one.url} has not answered for ` +
			`${span(one.down_for)}, another one does`));
	if (left <= 0)
		found.push(`${issuer.name}: its certificate has expired`);
	return found;
}

/* Nothing is wrong yet: it is told after what is. */
function issuerEnds(issuer) {
	const left = seconds(issuer.not_after) - now();

	return left > 0 && left < SOON ? [`${issuer.name}: its certificate expires in ${span(left)}`] : [];
}

function troubles(status) {
	const {cold, skipped} = status.watched;
	const found = status.issuers.flatMap(issuerTroubles);

	found.push(...status.stores.filter(store => !store.up)
		.map(store => `${store.store} does not work, the relay goes on without it`));
	if (cold.length > 0)
		found.push(`${plural(cold.length, "watched certificate has", "watched certificates have")} ` +
			`no answer: ${cold.slice(0, 3).join(", ")}${cold.length > 3 ? ", …" : ""}`);
	if (skipped.length > 0)
		found.push(`${plural(skipped.length, "certificate", "certificates")} of watch_dir ` +
			`cannot be watched: ${skipped.slice(0, 3).join(", ")}`);
	found.push(...status.issuers.flatMap(issuerEnds));
	return found;
}

function serving(status) {
	const used = status.issuers.filter(issuer => issuer.runway);
	const first = Math.min(...used.map(issuer => issuer.runway.first));

	return `${plural(status.issuers.length, "issuer", "issuers")}, all responders that were asked ` +
		`answer${used.length > 0 ? `; without them the first answer would run out in ${span(first)}` : ""}`;
}

function showHealth(status) {
	const found = troubles(status);
	let [state, word, text] = ["good", "Serving", serving(status)];

	if (status.issuers.length === 0)
		[state, word, text] = ["setup", "No issuer yet", "every request is answered unauthorized"];
	if (found.length > 0)
		[state, word, text] = ["trouble", "Trouble", found[0]];
	if (status.draining)
		[state, word, text] = ["draining", "Draining",
			`no new connections; ${plural(status.waiters, "request waits", "requests wait")}`];
	const rest = status.draining ? found : found.slice(1);

	byId("health").className = `card ${state}`;
	document.title = `${state === "good" ? "" : `${word}: `}ocsprelay`;
	show("health-text",
		el("p", {class: "line"}, el("span", {class: "sign", "aria-hidden": "true"}),
			el("strong", {}, word), " ", el("span", {}, text)),
		rest.length > 0 ? el("ul", {}, rest.slice(0, 20).map(one => el("li", {}, one)),
			rest.length > 20 ? el("li", {}, `and ${number(rest.length - 20)} more`) : "") : "");
}

function showFirst(status) {
	reveal("first", status.issuers.length === 0);
	show("first-steps",
		el("li", {}, "Copy two files into ", el("code", {}, status.issuer_dir || "issuer_dir"),
			": the certificate of a CA, and any certificate that it has issued, ",
			"which tells the responder's URL."),
		el("li", {}, el("code", {}, "ocsprelay check"), " prints what was understood, and every error."),
		el("li", {}, el("code", {}, "ocsprelay reload"), " takes it up; then it is on this page."));
}

/* --- figures ---------------------------------------------------------------------------------- */

const figure = (name, value, below) => el("div", {class: "card figure"},
	el("h2", {}, name), el("p", {class: "value"}, value), el("p", {class: "below"}, below));

/* Since the last time we asked, so that it is up to date; before, of the last whole minute. */
function requestRate(status) {
	const {previous, history} = page;
	const last = history?.samples.at(-1);

	if (previous && seconds(status.now) > seconds(previous.now))
		return rate((total(status.requests) - total(previous.requests)) /
			(seconds(status.now) - seconds(previous.now)));
	return last && last[1] > 0 ? rate((last[2] + last[3] + last[4]) / last[1]) : "–";
}

function shortest(issuers) {
	return issuers.filter(issuer => issuer.runway)
		.sort((a, b) => a.runway.first - b.runway.first)[0];
}

function showFigures(status) {
	const {requests, cache} = status;
	const hits = hitsOf(requests), asked = hits + missesOf(requests);
	const next = shortest(status.issuers);

	show("figures",
		figure("Requests per second", requestRate(status), `${brief(total(requests))} since the start`),
		figure("Hit ratio", asked > 0 ? percent(hits, asked) : "–", `${brief(hits)} from memory`),
		figure("Shortest runway", next ? span(next.runway.first) : "–",
			next ? next.name : "nothing is in use"),
		figure("Answers in memory", number(cache.entries),
			`${octets(cache.bytes)} of ${octets(cache.max_bytes)}`),
		figure("Connections", number(status.connections),
			`${plural(status.waiters, "request waits", "requests wait")}`),
		figure("Fetches under way", number(status.inflight),
			`${brief(requests.miss)} since the start`));
}

/* --- issuers ---------------------------------------------------------------------------------- */

const badge = (state, text) => el("span", {class: `badge ${state}`}, text);

function issuerState(issuer) {
	if (issuer.rehearsal)
		return badge("warn", `rehearsal, ${span(issuer.rehearsal.seconds_left)} left`);
	if (issuer.down)
		return badge("bad", issuer.responders.length > 0 ? "down" : "no responder");
	return issuer.responders.every(one => one.up) ? badge("good", "up") : badge("warn", "in part");
}

function responderRow(one) {
	const notes = [];

	if (!one.up)
		notes.push(`for ${span(one.down_for)}, ${plural(one.failures, "failure", "failures")}`);
	else if (!one.latency)
		notes.push(one.asked ? "not asked lately" : "not asked yet");
	if (one.wants_post)
		notes.push("by POST");
	return [badge(one.up ? "good" : "bad", one.up ? "up" : "down"),
		el("span", {class: "url"}, one.url,
			notes.length > 0 ? el("small", {}, ` ${notes.join(", ")}`) : ""),
		one.latency ? latency(one.latency.p50 * 1e6) : "–",
		one.latency ? latency(one.latency.p99 * 1e6) : "–"];
}

function responsesOf(issuer) {
	const told = Object.entries(issuer.responses).filter(([, n]) => n > 0);

	return told.length === 0 ? el("p", {class: "dim"}, "nobody has asked yet") :
		el("ul", {class: "counts"}, told.map(([name, n]) => el("li", {},
			el("b", {"data-status": name}, number(n)), ` ${name.replace(/_/g, " ")}`)));
}

/* Wider than its column it never is, and it is as wide as that lets it. */
function runwayOf(issuer, longest, width) {
	if (!issuer.runway)
		return el("p", {class: "dim"}, "no answer is in use");
	const {answers, first, median, last} = issuer.runway;

	return el("div", {},
		drawRunway(issuer, longest, width),
		el("p", {class: "runway-text"}, el("span", {}, "first ", el("b", {}, span(first))),
			el("span", {}, "median ", el("b", {}, span(median))),
			el("span", {}, "last ", el("b", {}, span(last)), " of ", el("b", {}, number(answers)))));
}

function issuerArticle(issuer, longest, width) {
	const left = seconds(issuer.not_after) - now();

	return el("article", {class: "issuer", "data-issuer": issuer.id},
		el("div", {},
			el("h3", {}, issuer.name, " ", issuerState(issuer)),
			responsesOf(issuer),
			left < SOON ? el("p", {class: "dim"}, `certificate until ${issuer.not_after}`) : ""),
		el("div", {class: "runway-cell"}, runwayOf(issuer, longest, width)),
		el("div", {}, issuer.responders.length === 0 ?
			el("p", {class: "dim"}, "no responder is known") :
			table(`Responders of ${issuer.name}`, ["state", "responder", "#median", "#p99"],
				issuer.responders.map(responderRow))));
}

/* First who is in trouble, then who runs out first, then by name. */
function ranked(issuers) {
	const rank = issuer => issuer.down ? 0 : issuer.runway ? 1 : 2;
	const first = issuer => issuer.runway?.first ?? 0;

	return [...issuers].sort((a, b) => rank(a) - rank(b) || first(a) - first(b) ||
		a.name.localeCompare(b.name));
}

function runwayWidth() {
	const cell = document.querySelector(".runway-cell");

	return Math.floor(cell?.clientWidth || byId("main").clientWidth * 0.8);
}

function showIssuers(status) {
	const list = ranked(status.issuers), shown = list.slice(0, MAX_ISSUERS);
	const longest = Math.max(HOUR, ...list.map(issuer => issuer.runway?.last ?? 0));
	const key = (name, text) => el("span", {class: "key"}, svg("svg", {width: 18, height: 12,
		"aria-hidden": "true"}, name === "warning" ?
		svg("line", {class: name, x1: 9, x2: 9, y1: 0, y2: 12}) :
		svg("rect", {class: name, width: 18, height: 12})), text);

	reveal("issuers", list.length > 0);
	show("runway-legend", key("all", "all answers in use are there"), key("half", "half of them"),
		key("some", "some"), key("warning", "runway_warning"));
	const head = el("div", {class: "issuer head", "aria-hidden": "true"}, el("div", {}, "issuer"),
		el("div", {}, "runway, if its responders vanished now"),
		el("div", {}, ["state", "responder", "median", "p99"].map(name => el("span", {}, name))));
	const draw = () => show("issuer-list", head,
		shown.map(issuer => issuerArticle(issuer, longest, runwayWidth())),
		list.length > shown.length ? el("p", {class: "dim"}, `and ${number(list.length - shown.length)} ` +
			"issuers more: ", el("code", {}, "ocsprelay status")) : "");
	const isNew = !document.querySelector(".runway-cell");

	draw();
	if (isNew)
		draw(); /* now that their width is known */
}

/* --- traffic ---------------------------------------------------------------------------------- */

const PLOTS = {
	"plot-requests": {draw: drawRequests, keys: [["hits", "hits"], ["misses", "misses"],
		["errors", "errors"]], text: value => rate(value), box: true},
	"plot-latency": {draw: drawLatency, keys: [["hit_p50", "hits, median"], ["hit_p99", "p99"],
		["miss_p50", "misses, median"], ["miss_p99", "p99"]], text: latency},
};

function plotKey(name, text, value, isBox) {
	return el("span", {class: "key"}, svg("svg", {width: 18, height: 12, "aria-hidden": "true"},
		isBox ? svg("rect", {class: name, width: 18, height: 12}) :
			svg("line", {class: `line ${name}`, x1: 0, x2: 18, y1: 6, y2: 6})),
	`${text} `, el("b", {}, value));
}

/* In its legend a plot has the values under the cursor, or the last ones. */
function showPlot(id) {
	const {draw, keys, text, box} = PLOTS[id];
	const holder = byId(id).querySelector(".plot");
	const size = {width: Math.max(200, holder.clientWidth), height: 220};
	const data = buckets(page.history, page.hours, size.width - MARGIN.left - MARGIN.right);
	const {x, root} = draw(data, size);
	const at = data.list[page.cursor[id]] ?? data.list.at(-1);
	const legend = el("p", {class: "legend"}, keys.map(([name, label]) =>
		plotKey(name, label, at && (box || at[name] > 0) ? text(at[name]) : "–", box)));

	if (at && id in page.cursor) {
		root.append(svg("line", {class: "cursor", x1: x(at.time), x2: x(at.time), y1: MARGIN.top,
			y2: size.height - MARGIN.bottom}));
		legend.append(el("span", {class: "at"}, `at ${clock(at.time, data.end, false)}`));
	}
	page.drawn[id] = {x, list: data.list};
	patch(byId(id).querySelector(".legend"), legend);
	patchChildren(holder, [root]);
}

function showTraffic() {
	reveal("since", total(page.status.requests) > 0);
	reveal("traffic", page.status.issuers.length > 0 || total(page.status.requests) > 0);
	show("counts", table("Requests by how they were answered",
		["answered by", "#requests"], Object.entries(page.status.requests).map(([name, n]) =>
			[name, el("span", {"data-result": name}, number(n))])));
	if (page.history && !byId("traffic").hidden)
		Object.keys(PLOTS).forEach(showPlot);
}

function moveCursor(id, index) {
	const {list} = page.drawn[id] ?? {list: []};

	if (index === null || list.length === 0)
		delete page.cursor[id];
	else
		page.cursor[id] = Math.min(Math.max(index, 0), list.length - 1);
	if (page.history)
		showPlot(id);
}

function nearest(id, pixel) {
	const {x, list} = page.drawn[id];

	return list.reduce((best, bucket, i) =>
		Math.abs(x(bucket.time) - pixel) < Math.abs(x(list[best].time) - pixel) ? i : best, 0);
}

function listenToPlots() {
	const ends = {Home: 0, End: Infinity, Escape: null};
	const moves = {ArrowLeft: -1, ArrowRight: 1};

	for (const id of Object.keys(PLOTS)) {
		const plot = byId(id).querySelector(".plot");

		plot.addEventListener("pointermove", event => page.drawn[id] &&
			moveCursor(id, nearest(id, event.clientX - plot.getBoundingClientRect().left)));
		plot.addEventListener("pointerleave", () => moveCursor(id, null));
		byId(id).addEventListener("blur", () => moveCursor(id, null));
		byId(id).addEventListener("keydown", event => {
			const here = page.cursor[id] ?? Infinity;

			if (event.key in ends)
				moveCursor(id, ends[event.key]);
			else if (event.key in moves)
				moveCursor(id, Math.min(here, page.drawn[id].list.length) + moves[event.key]);
			else
				return;
			event.preventDefault();
		});
	}
	for (const button of document.querySelectorAll(".ranges button")) {
		button.addEventListener("click", () => {
			page.hours = Number(button.dataset.hours);
			page.cursor = {};
			document.querySelectorAll(".ranges button").forEach(one =>
				one.setAttribute("aria-pressed", String(one === button)));
			if (page.history)
				showTraffic();
		});
	}
}

/* --- what expires, tiers, events -------------------------------------------------------------- */

function showExpiring() {
	const statuses = {good: "good", revoked: "bad", unknown: "warn"};
	const planned = t => t <= now() ? "due" : `in ${span(t - now())}`;

	reveal("expiring", page.expiring.length > 0);
	show("expiring-list", table("Answers in memory that expire next",
		["#in", "issuer", "serial", "status", "#refresh"],
		page.expiring.map(one => [span(seconds(one.expires_at) - now()), one.issuer,
			el("code", {}, one.serial), badge(statuses[one.status], one.status),
			planned(seconds(one.refresh_at))])));
}

function showTiers({cache, stores, watched}) {
	const full = Math.min(1, cache.bytes / cache.max_bytes);
	const memory = el("span", {}, "memory ",
		svg("svg", {class: "full", width: 80, height: 10, role: "img",
			"aria-label": `${percent(cache.bytes, cache.max_bytes)} in use`},
		svg("rect", {class: "some", width: 80, height: 10}),
		svg("rect", {class: "all", width: Math.max(1, 80 * full).toFixed(1), height: 10})),
		el("br"), el("small", {}, `${octets(cache.bytes)}, ${plural(cache.entries, "answer", "answers")}, ` +
			`${number(cache.evictions)} evicted, ` +
			`${plural(cache.negative_entries, "failure", "failures")} remembered`));

	reveal("tiers", true);
	show("tier-list", table("Where answers are kept", ["tier", "#state"], [
		[memory, badge("good", "up")],
		...stores.map(store => [el("span", {class: "url"}, store.store),
			badge(store.up ? "good" : "bad", store.up ? "up" : "down")]),
	]));
	show("watched", watched.certificates > 0 ? el("p", {},
		`${plural(watched.certificates, "certificate is", "certificates are")} watched, ` +
		`${watched.cold.length === 0 ? "all" : number(watched.certificates - watched.cold.length)} ` +
		"with an answer") : "");
}

function eventRow(event) {
	const levels = {error: "bad", warning: "warn", notice: "note"};
	const first = seconds(event.first), last = seconds(event.last);

	return el("li", {},
		el("time", {datetime: event.last}, clock(last, now())),
		badge(levels[event.level] ?? "note", event.level),
		el("div", {}, el("b", {title: event.event}, event.text),
			event.count > 1 ?
				el("span", {}, `${number(event.count)} times since ${clock(first, now())}`) : "",
			Object.entries(event.fields).map(([name, value]) => el("span", {class: "field"},
				el("span", {class: "dim"}, `${name} `), String(value)))));
}

function showEvents() {
	reveal("events", page.events.length > 0);
	show("event-list", el("ol", {class: "events"}, page.events.slice(0, 30).map(eventRow)));
}

/* --- keeping up to date ----------------------------------------------------------------------- */

async function ask(what) {
	const response = await fetch(`api/v1/${what}`,
		{cache: "no-store", signal: AbortSignal.timeout(MS_TIMEOUT)});

	if (response.ok)
		return response.json();
	const told = await response.json().catch(() => ({}));
	throw new Error(told.error ?? `status ${response.status}`);
}

function showAll() {
	const {status} = page;

	show("about", `${status.version} on ${location.host}, pid ${status.pid}, up ${span(status.uptime)}`);
	showHealth(status);
	showFirst(status);
	showFigures(status);
	showIssuers(status);
	showTraffic();
	showExpiring();
	showTiers(status);
	showEvents();
}

function showLive(error) {
	const since = page.status ? clock(now(), now()) : "";

	document.body.classList.toggle("stale", error !== null);
	byId("live").className = error === null ? "good" : "bad";
	if (error === null)
		show("live", `up to date at ${since}`);
	else
		show("live", `The relay does not answer (${error.message}).`,
			page.status ? ` This is how it was at ${since}.` : "");
}

async function update() {
	const msNow = performance.now();
	const wantsHistory = msNow - page.msHistory >= MS_HISTORY;
	const [status, expiring, events, history] = await Promise.all([ask("status"), ask("expiring"),
		ask("events"), wantsHistory ? ask("history") : page.history]);

	/* a rate over less than a second is none */
	if (page.status && status.started_at === page.status.started_at) {
		if (seconds(status.now) > now())
			page.previous = page.status;
	} else {
		page.previous = null;
	}
	Object.assign(page, {status, history, expiring: expiring.entries, events: events.events});
	if (wantsHistory)
		page.msHistory = msNow;
}

/* One at a time; the next one some seconds after, unless nobody is looking. */
async function poll() {
	clearTimeout(page.timer);
	if (page.isAsking || document.hidden)
		return;
	page.isAsking = true;
	try {
		await update();
		showAll();
		showLive(null);
	} catch (error) {
		showLive(error);
	}
	page.isAsking = false;
	page.timer = setTimeout(poll, MS_POLL);
}

document.addEventListener("visibilitychange", poll);
new ResizeObserver(([{contentRect: {width}}]) => {
	if (width === page.width)
		return;
	page.width = width;
	requestAnimationFrame(() => {
		if (page.status) {
			showIssuers(page.status);
			showTraffic();
		}
	});
}).observe(byId("main"));
listenToPlots();
poll();
