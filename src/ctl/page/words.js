/* SPDX-License-Identifier: ISC */
/*
 * Numbers and times as people read them, and the making of elements. Text of the outside gets onto
 * the page as text nodes and nothing else: nothing here, nor in the other files, makes markup.
 */
"use strict";

const DAY = 86400, HOUR = 3600, MINUTE = 60;

const grouped = new Intl.NumberFormat("en");
const number = n => grouped.format(n);

/* 3 h 12 min: the two largest units */
function span(seconds) {
	const units = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [1, "s"]];
	let rest = Math.max(0, Math.floor(seconds));
	let i = units.findIndex(([length]) => rest >= length);

	if (i < 0)
		return "0 s";
	const [length, unit] = units[i];
	let text = `${Math.floor(rest / length)} ${unit}`;
	rest %= length;
	if (++i < units.length - 1 && rest >= units[i][0])
		text += ` ${Math.floor(rest / units[i][0])} ${units[i][1]}`;
	return text;
}

/* 38 µs, 1.2 ms, 2.5 s */
function latency(us) {
	const digits = n => n < 10 ? n.toFixed(1).replace(/\.0$/, "") : n.toFixed(0);

	if (us < 1000)
		return `${us.toFixed(0)} µs`;
	return us < 1e6 ? `${digits(us / 1e3)} ms` : `${digits(us / 1e6)} s`;
}

/* 812, 12.4 k, 3.1 M */
function brief(n) {
	for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
		if (n >= size)
			return `${(n / Math.min(size, size === 1e4 ? 1e3 : size)).toPrecision(3)} ${unit}`;
	}
	return number(n);
}

function octets(n) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;

	for (; n >= 1024 && i + 1 < units.length; i++)
		n /= 1024;
	return `${i === 0 || n >= 100 ? n.toFixed(0) : n.toPrecision(3)} ${units[i]}`;
}

function rate(perSecond) {
	if (perSecond === 0 || perSecond >= 100)
		return number(Math.round(perSecond));
	return perSecond >= 0.1 ? perSecond.toPrecision(2) : "< 0.1";
}

function percent(part, whole) {
	const value = 100 * part / whole;

	/* never rounded to a whole that it is not */
	return `${(part < whole ? Math.min(value, 99.9) : value).toFixed(part < whole ? 1 : 0)} %`;
}

const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;

/* Seconds since 1970 of what the API writes. */
const seconds = iso => Date.parse(iso) / 1000;

/* 12:34:56, before it the date where it is not today's */
function clock(t, now, withSeconds = true) {
	const iso = new Date(t * 1000).toISOString();
	const time = iso.slice(11, withSeconds ? 19 : 16);

	return iso.slice(0, 10) === new Date(now * 1000).toISOString().slice(0, 10) ?
		time : `${iso.slice(5, 10)} ${time}`;
}

/* --- elements --------------------------------------------------------------------------------- */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== null && value !== false)
			node.setAttribute(name, value);
	}
	node.append(...children.flat(Infinity).filter(child => child !== null && child !== ""));
	return node;
}

/* el("td", {class: "n"}, "text", element, ...): strings become text, null and "" nothing. */
const el = (tag, attributes = {}, ...children) =>
	fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
	fill(document.createElementNS(SVG, tag), attributes, children);

/* Makes a table of cells that are text or elements; a column that begins with # is of numbers. */
function table(caption, columns, rows) {
	const names = columns.map(name => name.replace(/^#/, ""));
	const kind = i => columns[i].startsWith("#") ? "n" : null;
	const cell = (content, i) => el("td", {class: kind(i), "data-label": names[i]}, content);

	return el("table", {},
		el("caption", {class: "unseen"}, caption),
		el("thead", {}, el("tr", {}, names.map(
			(name, i) => el("th", {scope: "col", class: kind(i)}, name)))),
		el("tbody", {}, rows.map(row => el("tr", {}, row.map(cell)))));
}

/*
 * Makes old like fresh, touching only what differs: what a reader has selected, opened or has the
 * focus on stays.
 */
function patch(old, fresh) {
	if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
		old.replaceWith(fresh);
		return;
	}
	if (old.nodeType === Node.TEXT_NODE) {
		if (old.data !== fresh.data)
			old.data = fresh.data;
		return;
	}
	for (const {name} of [...old.attributes]) {
		if (!fresh.hasAttribute(name) && name !== "open")
			old.removeAttribute(name);
	}
	for (const {name, value} of fresh.attributes) {
		if (old.getAttribute(name) !== value)
			old.setAttribute(name, value);
	}
	patchChildren(old, [...fresh.childNodes]);
}

function patchChildren(parent, fresh) {
	const old = [...parent.childNodes];

	old.slice(fresh.length).forEach(node => node.remove());
	fresh.forEach((node, i) => i < old.length ? patch(old[i], node) : parent.append(node));
}

/* What the element of this id shows. */
function show(id, ...content) {
	const holder = el("div");

	fill(holder, {}, content);
	patchChildren(document.getElementById(id), [...holder.childNodes]);
}
