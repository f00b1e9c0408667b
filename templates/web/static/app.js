// What a page does more where scripts run: it keeps up, ages count, keys work. Without it everything is there all the same.
"use strict";
(() => {
  const STALE = 40_000;
  const here = document.body.dataset.live;
  const stored = (name, value) => {
    try {
      if (value === undefined) return localStorage.getItem(name);
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch { /* private windows may have none */ }
    return value ?? null;
  };

  // Light or dark, as the system says unless the person said otherwise.
  const looks = [null, "light", "dark"];
  const wear = (look) => {
    if (look) document.documentElement.dataset.look = look;
    else delete document.documentElement.dataset.look;
  };
  wear(stored("look"));

  // How long ago, for every time on the page.
  const age = (seconds) =>
    seconds < 60 ? `${Math.max(0, Math.floor(seconds))} s`
    : seconds < 3600 ? `${Math.floor(seconds / 60)} min`
    : seconds < 172800 ? `${Math.floor(seconds / 3600)} h`
    : `${Math.floor(seconds / 86400)} d`;
  let ahead = 0;
  const grow = () => {
    for (const time of document.querySelectorAll("time[data-age]")) {
      const at = Date.parse(time.dateTime);
      if (!Number.isNaN(at)) time.textContent = age((Date.now() + ahead - at) / 1000);
    }
  };

  // Where a person selects text or reads what a dialog says, the page waits.
  const isBusy = () => {
    const selection = document.getSelection();
    const selects = selection && !selection.isCollapsed && selection.toString().length > 0;
    return Boolean(selects || document.querySelector("dialog[open]"));
  };
  // What is typed or chosen and not yet sent.
  const isFilled = (field) =>
    field === document.activeElement ||
    (field.tagName === "SELECT"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.value !== field.defaultValue || field.checked !== field.defaultChecked);

  let waiting = null;
  const put = (page) => {
    if (isBusy()) {
      waiting = page;
      return;
    }
    waiting = null;
    const next = new DOMParser().parseFromString(`<body>${page.body}</body>`, "text/html").body;
    const needs = (body) => body.querySelector("nav .attention")?.textContent ?? "";
    const before = needs(document.body);
    Idiomorph.morph(document.body, [...next.childNodes], {
      morphStyle: "innerHTML",
      callbacks: {
        beforeNodeMorphed: (from, to) => {
          if (from.nodeType !== Node.ELEMENT_NODE) return true;
          if (from.hasAttribute("data-keep")) return false;
          if (from.matches("input, textarea, select") && isFilled(from)) return false;
          // What a person opened or ticked stays so.
          if (from.tagName === "DETAILS" && to.tagName === "DETAILS") to.open = from.open;
          if (from.tagName === "DIALOG" && from.open) return false;
          return true;
        },
        beforeNodeRemoved: (node) => !(node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-keep")),
      },
    });
    const number = needs(document.body);
    document.title = (number ? `(${number}) ` : "") + document.title.replace(/^\(\d+\) /, "");
    if (number && number !== before) say(`${number} ${number === "1" ? "goal needs" : "goals need"} you`);
    grow();
    document.dispatchEvent(new Event("page"));
  };
  setInterval(() => waiting && put(waiting), 1000);

  const say = (words) => {
    const notice = document.getElementById("notice");
    if (!notice) return;
    notice.textContent = words;
    setTimeout(() => { if (notice.textContent === words) notice.textContent = ""; }, 6000);
  };

  // One stream for each page that is looked at; a page that is hidden closes its own, as a browser opens only six.
  let stream = null, heard = 0, seen = "";
  const mark = () => {
    const place = document.getElementById("live-mark");
    if (!place) return;
    const quiet = Date.now() - heard;
    const stale = quiet > STALE;
    document.body.toggleAttribute("data-stale", stale);
    // A server that was started anew does not know this browser: then it no longer tries by itself.
    const words = !stream ? "○ not kept up" : stream.readyState === EventSource.CLOSED ? "✖ not live: sign in again"
      : stale ? `✖ stale ${Math.floor(quiet / 1000)} s` : stream.readyState === EventSource.OPEN ? "● live" : "◌ reconnecting";
    if (place.textContent !== words) place.textContent = words;
  };
  const open = () => {
    if (stream || !here) return;
    heard = Date.now();
    stream = new EventSource(`/events?at=${encodeURIComponent(here)}${seen ? `&seen=${seen}` : ""}`);
    stream.onopen = () => { heard = Date.now(); mark(); };
    stream.onerror = mark;
    // Whatever comes says that the page is kept up, and what of it this browser has by now.
    const hear = (event) => {
      heard = Date.now();
      seen = event.lastEventId;
      mark();
    };
    for (const name of ["alive", "lines", "page"]) stream.addEventListener(name, hear);
    stream.addEventListener("page", (event) => put(JSON.parse(event.data)));
    document.dispatchEvent(new CustomEvent("stream", { detail: stream }));
  };
  const close = () => {
    stream?.close();
    stream = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", () => !document.hidden && open());

  // Keys, with an off switch (WCAG 2.1.4); never while a person types.
  // In the order of the menu, whose links lead right where this is a site of files, too.
  const PLACES = "igtuyh";
  const place = (key) => document.querySelectorAll("nav[aria-label=Pages] a")[PLACES.indexOf(key)]?.href;
  const listed = () => [...document.querySelectorAll("main [id^='goal-'] a.id, main .rows a.id")];
  const walk = (step) => {
    const all = listed();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    all[(at + step + all.length + (at < 0 && step < 0 ? 1 : 0)) % all.length].focus();
  };
  const near = (verb) => {
    const row = document.activeElement?.closest("li, tr, section") ?? document.querySelector("main");
    return row?.querySelector(`form[action='/do/${verb}'] button, a[href*='/ask/${verb}'], a[data-key='${verb}']`);
  };
  const press = (key) => {
    if (PLACES.includes(key)) return void (location.href = place(key) ?? location.href);
    if (key === "j") return walk(1);
    if (key === "k") return walk(-1);
    if (key === "/") return void (document.querySelector("main input[type=search]")?.focus() ?? (location.href = place("g")));
    if (key === "?") return void document.getElementById("keys")?.showModal();
    const verb = { a: "approve", r: "retry", l: "log", d: "diff" }[key];
    if (verb) near(verb)?.click();
  };
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || stored("keys") === "off") return;
    if (document.querySelector("dialog[open]")) return;
    if (/^[a-z/?]$/.test(event.key)) {
      if ("/?".includes(event.key)) event.preventDefault();
      press(event.key);
    }
  });

  const begin = () => {
    const look = document.getElementById("look");
    if (look) {
      look.hidden = false;
      look.addEventListener("click", () => {
        const next = looks[(looks.indexOf(stored("look")) + 1) % looks.length];
        stored("look", next);
        wear(next);
        look.setAttribute("aria-label", `Light or dark: ${next ?? "as the system"}`);
      });
    }
    const keys = document.getElementById("keys");
    if (keys) {
      const button = document.getElementById("keys-open");
      if (button) {
        button.hidden = false;
        button.addEventListener("click", () => keys.showModal());
      }
      const off = document.getElementById("keys-off");
      if (off) {
        off.checked = stored("keys") === "off";
        off.addEventListener("change", () => stored("keys", off.checked ? "off" : null));
      }
    }
    const now = document.querySelector("#live time")?.dateTime;
    if (now) ahead = Date.parse(now) - Date.now();
    if (Math.abs(ahead) < 5000) ahead = 0;
    grow();
    setInterval(grow, 5000);
    if (!document.hidden) open();
    if (here) setInterval(mark, 1000);
  };
  begin();
})();
