// The log keeps up: lines that came are added, and the end is followed unless a person scrolled up.
"use strict";
(() => {
  const MOST = 5000;
  const log = document.getElementById("log");
  if (!log || !log.hasAttribute("data-grows")) return;
  const follow = document.getElementById("follow");
  let unseen = 0;
  const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const tell = () => {
    if (!follow) return;
    follow.hidden = unseen === 0;
    follow.querySelector("span").textContent = unseen;
  };
  const resume = () => {
    unseen = 0;
    toEnd();
    tell();
  };
  follow?.addEventListener("click", resume);
  log.addEventListener("scroll", () => { if (unseen && isAtEnd()) resume(); }, { passive: true });

  const put = (said) => {
    const follows = isAtEnd() && !location.hash;
    const rows = new DOMParser().parseFromString(`<ol>${said.rows.join("")}</ol>`, "text/html").querySelectorAll("li");
    if (said.anew) {
      // The same lines again, as after a reload: nothing may jump.
      const last = rows[rows.length - 1], same = last && document.getElementById(last.id);
      if (same && same.textContent === last.textContent) return;
      log.replaceChildren();
    }
    for (const row of rows) {
      const known = document.getElementById(row.id);
      if (known && log.contains(known)) known.replaceWith(row);
      else {
        log.append(row);
        if (!follows) unseen += 1;
      }
    }
    if (follows) {
      while (log.childElementCount > MOST) log.firstElementChild.remove();
      toEnd();
    }
    tell();
  };
  document.addEventListener("stream", (event) => {
    event.detail.addEventListener("lines", (lines) => put(JSON.parse(lines.data)));
  });
  if (!location.hash) toEnd();
})();
