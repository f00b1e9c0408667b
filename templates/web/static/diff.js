// Files that were viewed stay so, in this browser, until their content is another one.
"use strict";
(() => {
  const KEY = "viewed";
  const MOST = 2000;
  const read = () => {
    try { return new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]")); } catch { return new Set(); }
  };
  const write = (all) => {
    try { localStorage.setItem(KEY, JSON.stringify([...all].slice(-MOST))); } catch { /* it is forgotten, no more */ }
  };
  const mark = () => {
    const viewed = read();
    for (const file of document.querySelectorAll("details.file[data-blobs]")) {
      if (file.previousElementSibling?.classList.contains("viewed-row")) continue;
      const row = document.createElement("p");
      row.className = "viewed-row";
      const label = document.createElement("label");
      label.className = "viewed";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = viewed.has(file.dataset.blobs);
      label.append(box, ` Viewed ${file.querySelector("summary code")?.textContent ?? ""}`);
      row.append(label);
      row.setAttribute("data-keep", "");
      file.before(row);
      if (box.checked && !file.querySelector("#say")) file.open = false;
      box.addEventListener("change", () => {
        const all = read();
        if (box.checked) all.add(file.dataset.blobs);
        else all.delete(file.dataset.blobs);
        write(all);
        file.open = !box.checked;
      });
    }
  };
  mark();
  document.addEventListener("page", mark);
  document.getElementById("say-text")?.focus();
})();
