/*
 * site.js - makes quicker what already works without it.
 *
 * Nothing moves under the reader's eyes: reactions that arrive meanwhile wait behind a button.
 */
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const language = document.documentElement.lang;

/* --- relative times, kept up to date --- */

const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const units = [["minute", 60], ["hour", 3600]];

function freshen() {
	for (const time of all("time[title]")) {
		const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
		const far = Math.abs(seconds);
		if (far < 60 || far >= 12 * 3600)
			continue;
		const [unit, size] = units[far < 3600 ? 0 : 1];
		time.textContent = relative.format(Math.trunc(seconds / size), unit).replace(". ", " ");
	}
}

/* --- a form is sent once; coming back makes it usable again --- */

function guard(event) {
	const form = event.target;
	if (form.method !== "post")
		return;
	if (form.dataset.sent) {
		event.preventDefault();
		return;
	}
	form.dataset.sent = "1";
	form.setAttribute("aria-busy", "true");
	/* after the pressed button's own value has gone into what is sent */
	setTimeout(() => all("button", form).forEach((button) => (button.disabled = true)));
}

function release() {
	for (const form of all("form[data-sent]")) {
		delete form.dataset.sent;
		form.removeAttribute("aria-busy");
		all("button", form).forEach((button) => (button.disabled = false));
	}
}

/* --- how much room is left --- */

function count(field) {
	const counter = document.createElement("span");
	const most = field.maxLength;
	const least = Math.max(field.minLength, 0);
	const show = () => {
		const length = [...field.value].length;
		const wanted = length < least ? least : most;
		counter.textContent = length > 0 && (length < least || length > most * 0.7) ? `${length} / ${wanted}` : "";
	};
	counter.className = "counter";
	counter.setAttribute("aria-hidden", "true");
	field.after(counter);
	field.addEventListener("input", show);
	show();
}

/* --- reply in place --- */

function reply(link) {
	const form = one("[data-reply-form]");
	const comment = link.closest(".comment");
	if (!form || !comment)
		return false;
	const label = one("label", form);
	if (!form.dataset.label) {
		form.dataset.label = label.textContent;
		const home = document.createElement("div");
		home.dataset.home = "";
		form.before(home);
	}
	const name = one(".name", comment)?.textContent ?? "";
	form.elements.parent.value = link.dataset.reply;
	label.textContent = form.dataset.replyTitle.replace("%s", name);
	one(".acts", comment).after(form);
	one("textarea", form).focus({ preventScroll: true });
	form.scrollIntoView({ block: "nearest" });
	return true;
}

function unreply() {
	const form = one("[data-reply-form]");
	const home = one("[data-home]");
	if (!home || !form.dataset.label)
		return;
	const back = one(`[data-reply="${form.elements.parent.value}"]`);
	home.after(form);
	form.elements.parent.value = "0";
	one("label", form).textContent = form.dataset.label;
	back?.focus();
}

/* --- copy, seek, suggest, theme --- */

async function copy(button) {
	const field = document.getElementById(button.dataset.copy);
	try {
		await navigator.clipboard.writeText(field.value);
	} catch {
		field.select();
		document.execCommand("copy");
	}
	const words = button.textContent;
	button.textContent = button.dataset.done;
	setTimeout(() => (button.textContent = words), 2000);
}

function seek(link) {
	const video = document.getElementById("video");
	if (!video)
		return false;
	video.currentTime = Number(link.dataset.seek);
	video.play();
	return true;
}

function pickTheme(event) {
	const theme = event.submitter?.value;
	const form = event.target;
	if (!theme)
		return;
	event.preventDefault();
	event.stopImmediatePropagation();
	if (theme === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	all("button", form).forEach((button) => button.removeAttribute("aria-pressed"));
	event.submitter.setAttribute("aria-pressed", "true");
	const body = new URLSearchParams(new FormData(form));
	body.set("theme", theme);
	fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true });
}

/* --- reactions that arrive while one reads --- */

function follow(thread) {
	const bar = one("[data-live]", thread);
	const arrived = new Set();
	let source;

	const listen = () => {
		source = new EventSource(thread.dataset.stream);
		source.addEventListener("comment", take);
		/* the browser itself comes back after a cut, but not after an answer that was an error */
		source.addEventListener("error", () => {
			if (source.readyState === EventSource.CLOSED)
				setTimeout(listen, 10000 + Math.random() * 10000);
		});
	};
	const take = (event) => {
		const id = event.lastEventId || event.data;
		let comment = {};
		try {
			comment = JSON.parse(event.data);
		} catch { /* only that something came matters */ }
		const known = comment.id ?? id;
		if (!["posted", "restored", undefined].includes(comment.change))
			return;
		if (document.getElementById(`c${known}`) || arrived.has(known))
			return;
		arrived.add(known);
		announce(bar, thread, arrived);
	};
	listen();
	addEventListener("pagehide", () => source.close());
	addEventListener("pageshow", (event) => event.persisted && listen());
}

function announce(bar, thread, arrived) {
	const button = one("button", bar) ?? document.createElement("button");
	const words = arrived.size === 1 ? thread.dataset.one : thread.dataset.many;
	button.type = "button";
	button.textContent = words.replace("%d", arrived.size);
	button.onclick = () => bring(thread, [...arrived]);
	if (!button.parentNode)
		bar.append(button);
}

/* The page as it is now; only its list of reactions is taken, so what is being typed stays. */
async function bring(thread, ids) {
	const answer = await fetch(location.pathname + location.search);
	const page = new DOMParser().parseFromString(await answer.text(), "text/html");
	const fresh = one("#reagir .comments", page);
	if (!answer.ok || !fresh) {
		location.reload();
		return;
	}
	unreply();
	const old = one(".comments", thread);
	if (old)
		old.replaceWith(fresh);
	else
		one("h2", thread).after(fresh);
	one(".empty", thread)?.remove();
	one("[data-live]", thread).replaceChildren();
	freshen();
	const first = ids.map((id) => document.getElementById(`c${id}`)).find(Boolean);
	if (first) {
		first.tabIndex = -1;
		first.focus({ preventScroll: true });
		first.scrollIntoView({ block: "center" });
	}
}

/* --- a film that is away says so --- */

function tell(video) {
	const words = document.createElement("p");
	words.className = "notice warning";
	words.setAttribute("role", "status");
	words.textContent = video.dataset.missing;
	video.after(words);
}

/* --- wiring --- */

document.addEventListener("submit", (event) => {
	if (event.target.matches("[data-theme-switch]"))
		pickTheme(event);
	else
		guard(event);
});

document.addEventListener("click", (event) => {
	if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0)
		return;
	const link = event.target.closest("[data-reply], [data-seek], [data-copy]");
	if (!link) {
		for (const menu of all("details.menu[open]"))
			if (!menu.contains(event.target))
				menu.open = false;
		return;
	}
	if (link.dataset.copy)
		copy(link);
	else if (link.dataset.reply ? reply(link) : seek(link))
		event.preventDefault();
});

document.addEventListener("keydown", (event) => {
	if (event.key !== "Escape")
		return;
	const menu = one("details.menu[open]");
	if (menu) {
		menu.open = false;
		one("summary", menu).focus();
	} else if (event.target.closest?.("[data-reply-form]")) {
		unreply();
	}
});

addEventListener("pageshow", release);
all("[data-copy]").forEach((button) => (button.hidden = false));
all("[data-count]").forEach(count);
all(".thread[data-stream]").forEach(follow);
all("video[data-missing]").forEach((video) => video.addEventListener("error", () => tell(video), { once: true }));
freshen();
setInterval(freshen, 60000);
