// One field: a cross that a click or the arrow keys move, and a key that names what is under it.
"use strict";
(() => {
  const page = document.getElementById("field-page");
  if (!page) return;
  const { report, field } = page.dataset;
  const [cols, rows] = [Number(page.dataset.cols), Number(page.dataset.rows)];
  const keys = JSON.parse(page.dataset.keys);
  const shown = document.getElementById("shown");
  const cells = document.getElementById("cells");
  const cross = document.getElementById("cross");
  const said = document.getElementById("said");
  let point = null;
  let turn = Promise.resolve();

  const say = (text) => { said.textContent = text; };

  const found = () => [...cells.querySelectorAll("polygon, rect")].find((one) => one.isPointInFill(new DOMPoint(point.x, point.y)));

  const put = (x, y) => {
    point = { x: Math.round(Math.min(cols - 1, Math.max(0, x))), y: Math.round(Math.min(rows - 1, Math.max(0, y))) };
    cross.removeAttribute("hidden");
    cross.setAttribute("transform", `translate(${point.x} ${point.y}) scale(${cols / 960})`);
    const there = found();
    const item = there && cells.querySelector(`li[data-number="${there.dataset.number}"]`);
    say(`${point.x}, ${point.y}: ${item ? `${page.dataset.there} ${item.firstChild.textContent.trim()}` : page.dataset.empty}`);
  };

  const renew = async () => {
    const response = await fetch(window.location.pathname, { headers: { accept: "text/html", "hx-request": "true" } });
    if (response.ok) cells.innerHTML = await response.text();
  };

  const send = (body) => {
    turn = turn.then(async () => {
      try {
        const response = await fetch(`/reports/${report}/draft`, {
          method: "POST",
          headers: { "content-type": "application/json", accept: "application/json" },
          body: JSON.stringify({ seen: Number(page.dataset.version), ...body }),
        });
        if (response.status === 401) { window.location.assign("/sign-in"); return; }
        const answer = await response.json();
        if (answer.error) { say(answer.error); return; }
        document.getElementById("counts").innerHTML = answer.counts;
        document.getElementById("left").innerHTML = answer.left;
        await renew();
        const item = cells.querySelector(`li[data-number="${Object.keys(answer.cells)[0]}"]`);
        say(item ? item.firstChild.textContent.trim() : "");
      } catch {
        say(page.dataset.away);
      }
    });
    return turn;
  };

  const name = (as) => {
    if (!point) { say(page.dataset.first); shown.focus(); return; }
    send({ do: "missed", field: Number(field), x: point.x, y: point.y, class: as });
  };

  shown.addEventListener("click", (event) => {
    if (event.target.closest("button")) return;
    const box = shown.querySelector("img").getBoundingClientRect();
    if (event.clientY > box.bottom) return;
    put(((event.clientX - box.left) / box.width) * cols, ((event.clientY - box.top) / box.height) * rows);
  });

  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.nameAs) name(button.dataset.nameAs);
    else if (button?.dataset.do === "undo") send({ do: "undo" });
    else if (button?.dataset.remove) send({ do: "remove", cells: [Number(button.dataset.remove)] }).then(() => shown.focus());
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const { key } = event;
    if (key.startsWith("Arrow") && shown.contains(event.target)) {
      event.preventDefault();
      const step = (event.shiftKey ? 0.004 : 0.02) * cols;
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
      if (point) put(point.x + right * step, point.y + down * step); else put(cols / 2, rows / 2);
    } else if (key === "u") send({ do: "undo" });
    else if (key === "n") document.getElementById("after")?.click();
    else if (keys[key]) name(keys[key]);
  });
})();
