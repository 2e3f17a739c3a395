// Keys, drags and touches on the gallery; every decision is on the server's disk before it is shown as made.
"use strict";
(() => {
  const page = document.getElementById("review");
  if (!page) return;
  const address = `/reports/${page.dataset.report}`;
  const keys = JSON.parse(page.dataset.keys);
  const said = document.getElementById("said");
  const large = document.getElementById("large");
  const enlarged = document.getElementById("enlarged");
  const cells = () => [...page.querySelectorAll(".cell")];
  const find = (number) => page.querySelector(`.cell[data-number="${number}"]`);
  let current = null;
  let turn = Promise.resolve();

  const say = (text) => { said.textContent = text; };

  // One after the other, so that an undo never overtakes what it takes back.
  const send = (body) => {
    turn = turn.then(async () => {
      let answer;
      try {
        const response = await fetch(`${address}/draft`, {
          method: "POST",
          headers: { "content-type": "application/json", accept: "application/json" },
          body: JSON.stringify({ seen: Number(page.dataset.version), ...body }),
        });
        if (response.status === 401) { window.location.assign("/sign-in"); return null; }
        answer = await response.json();
      } catch {
        say(page.dataset.away);
        return null;
      }
      if (answer.error) { say(answer.error); return null; }
      say("");
      show(answer);
      return answer;
    });
    return turn;
  };

  const show = (answer) => {
    for (const [number, state] of Object.entries(answer.cells || {})) {
      const cell = find(number);
      if (!cell) continue;
      const words = page.querySelector(`[data-name-as="${state.name}"]`);
      cell.dataset.name = state.name;
      cell.querySelector(".label").textContent = words ? words.lastChild.textContent.trim() : state.name.replaceAll("_", " ");
      cell.classList.toggle("checked", state.decided);
      cell.classList.toggle("awaits", state.awaits);
      cell.classList.toggle("moved", state.name !== cell.closest(".group").dataset.class);
      const [which] = cell.getAttribute("aria-label").split(",");
      cell.setAttribute("aria-label", `${which}, ${cell.querySelector(".label").textContent}${state.decided ? ", " + page.dataset.accepted : ""}`);
    }
    for (const number of answer.gone || []) find(number)?.remove();
    for (const [item, text] of Object.entries(answer.remarks || {})) for (const input of page.querySelectorAll("[data-remark]")) if (input.dataset.remark === item) input.value = text;
    if (answer.counts) document.getElementById("counts").innerHTML = answer.counts;
    if (answer.left) document.getElementById("left").innerHTML = answer.left;
    if (answer.counts) document.body.dispatchEvent(new CustomEvent("named"));
  };

  const focus = (cell) => {
    if (!cell) return;
    if (current) current.tabIndex = -1;
    current = cell;
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest" });
  };

  const marked = () => {
    const many = cells().filter((one) => one.getAttribute("aria-pressed") === "true");
    return many.length ? many : current ? [current] : [];
  };

  const nextUndecided = (from) => {
    const all = cells();
    const start = from ? all.indexOf(from) : -1;
    return [...all.slice(start + 1), ...all.slice(0, start + 1)].find((one) => one.classList.contains("awaits"));
  };

  const notOpened = () => [...page.querySelectorAll(".group")]
    .find((group) => group.querySelector(".cell") && !group.querySelector(".cell[data-seen], .cell.checked"));

  // After the last decision a class of which no cell was on the screen, with as many below it as there is room for.
  const goOn = (from) => {
    const undecided = nextUndecided(from);
    if (undecided) { focus(undecided); return true; }
    const group = notOpened();
    if (!group) return false;
    focus(group.querySelector(".cell"));
    group.scrollIntoView({ block: "start" });
    return true;
  };

  const decide = async (body) => {
    const chosen = marked();
    if (!chosen.length) return;
    const last = chosen[chosen.length - 1];
    const numbers = chosen.map((one) => Number(one.dataset.number));
    for (const one of chosen) one.removeAttribute("aria-pressed");
    const undecided = chosen.filter((one) => one.classList.contains("awaits"));
    // The eye goes on at once; the answer follows.
    for (const one of chosen) one.classList.remove("awaits");
    if (!goOn(last)) focus(cells()[cells().indexOf(last) + 1] || last);
    if (!(await send({ ...body, cells: numbers }))) for (const one of undecided) one.classList.add("awaits");
  };

  const undo = async () => {
    const answer = await send({ do: "undo" });
    const back = answer && Object.keys(answer.cells)[0];
    // An added cell that comes back has no picture here yet.
    if (back && !find(back)) window.location.reload();
    else if (back && large.open) open(find(back));
    else if (back) focus(find(back));
  };

  // A double click is two clicks as well: only the first of them opens.
  let opening = false;
  // What the keys are about when the gallery comes back; the browser goes back to where the large view was opened.
  let returnTo = null;
  const open = async (cell) => {
    if (opening) return;
    // What was added and not signed yet is looked at in its field.
    if (cell.dataset.field) { window.location.assign(`${address}/fields/${cell.dataset.field}`); return; }
    opening = true;
    try {
      await turn;
      const response = await fetch(`${address}/cells/${cell.dataset.number}`, { headers: { accept: "text/html", "hx-request": "true" } });
      if (response.status === 401) { window.location.assign("/sign-in"); return; }
      if (!response.ok) { say((await response.json()).error); return; }
      enlarged.innerHTML = await response.text();
      focus(cell);
      returnTo = cell;
      see(cell);
      if (!large.open) large.showModal();
      // What is said stands above the large view, which lies over all else.
      large.append(said);
      enlarged.querySelector("h2").focus();
    } catch {
      say(page.dataset.away);
    } finally {
      opening = false;
    }
  };
  large.addEventListener("close", () => {
    page.append(said);
    // The event comes after the next keys: these may have gone to a field already, such as the PIN's.
    const at = document.activeElement;
    if (!at?.matches("input, select, textarea")) focus(returnTo);
  });

  // What was named large is followed by the next one that waits; the gallery comes back where none does.
  const decideLarge = async (body) => {
    if (opening) return;
    opening = true;
    const kept = await send({ ...body, cells: [Number(current.dataset.number)] });
    opening = false;
    if (!kept) return;
    current.removeAttribute("aria-pressed");
    nextLarge();
  };

  const nextLarge = () => {
    const next = nextUndecided(current);
    if (next) { open(next); return; }
    const last = current;
    large.close();
    if (!goOn(last)) focus(last);
    returnTo = current;
  };

  const moveLarge = (step) => {
    const all = cells().filter((one) => !one.dataset.field);
    const next = all[all.indexOf(current) + step];
    if (next) open(next);
  };

  const pressLarge = (event) => {
    const key = event.key;
    if (key === "ArrowLeft" || key === "ArrowRight") { event.preventDefault(); moveLarge(key === "ArrowLeft" ? -1 : 1); return; }
    if (key === " " && !event.target.closest("button, a, input")) { event.preventDefault(); decideLarge({ do: "confirm" }); return; }
    if (key === "u") { undo(); return; }
    if (key === "n") { if (nextUndecided(null)) nextLarge(); return; }
    // Not a letter: each of them may name a class, in this view, too.
    if (key === ".") { document.getElementById("outline")?.click(); return; }
    if (keys[key]) decideLarge({ do: "name", class: keys[key] });
  };

  const move = (direction) => {
    const all = cells();
    if (!current) { focus(all[0]); return; }
    const at = all.indexOf(current);
    if (direction === "left" || direction === "right") { focus(all[at + (direction === "left" ? -1 : 1)]); return; }
    const here = current.getBoundingClientRect();
    const down = direction === "down";
    const rows = all.filter((one) => {
      const top = one.getBoundingClientRect().bottom;
      return down ? top > here.bottom + 4 : top < here.bottom - 4;
    });
    if (!rows.length) return;
    const bottoms = rows.map((one) => one.getBoundingClientRect().bottom);
    const row = down ? Math.min(...bottoms) : Math.max(...bottoms);
    const near = (one) => Math.abs(one.getBoundingClientRect().left - here.left);
    focus(rows.filter((one) => Math.abs(one.getBoundingClientRect().bottom - row) < 24).sort((a, b) => near(a) - near(b))[0]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=range], [type=checkbox]), select, textarea")) return;
    if (large.open) { pressLarge(event); return; }
    const key = event.key;
    const inGallery = !event.target.closest("aside, header, .tools") || event.target === document.body;
    if (key.startsWith("Arrow") && inGallery) { event.preventDefault(); move(key.slice(5).toLowerCase()); return; }
    if (key === " " && inGallery && current) { event.preventDefault(); decide({ do: "confirm" }); return; }
    if (key === "Enter" && event.target.classList.contains("cell")) { event.preventDefault(); open(event.target); return; }
    if (key === "u") { undo(); return; }
    if (key === "n") { goOn(current); return; }
    if (key === "x" && current) { toggle(current); focus(cells()[cells().indexOf(current) + 1]); return; }
    if (key === "*" && current) { markClass(current); return; }
    if (key === "s") { event.preventDefault(); document.getElementById("pin").focus(); return; }
    if (keys[key]) decide({ do: "name", class: keys[key] });
  });

  const toggle = (cell) => cell.setAttribute("aria-pressed", cell.getAttribute("aria-pressed") === "true" ? "false" : "true");

  // What was not on the screen is not marked: nobody accepts a cell unseen.
  const markClass = (cell) => {
    for (const one of cell.closest(".group").querySelectorAll(".cell[data-seen]:not(.checked)")) one.setAttribute("aria-pressed", "true");
  };

  page.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    const button = event.target.closest("[data-do], [data-name-as]");
    if (cell) {
      if (event.shiftKey || event.ctrlKey || matchMedia("(pointer: coarse)").matches) { focus(cell); toggle(cell); } else if (current === cell) open(cell); else focus(cell);
    } else if (button && large.contains(button)) {
      const { nameAs, do: what } = button.dataset;
      if (nameAs) decideLarge({ do: "name", class: nameAs });
      else if (what === "undo") undo();
      else if (what === "next") nextLarge();
      else decideLarge({ do: what === "double" ? "double" : "confirm" });
    } else if (button?.dataset.nameAs) {
      decide({ do: "name", class: button.dataset.nameAs });
    } else if (button?.dataset.do === "undo") undo();
    else if (button?.dataset.do === "open") current && open(current);
    else if (button?.dataset.do === "accept") decide({ do: "confirm" });
    else if (button?.dataset.do === "mark") current && markClass(current);
    else if (button?.dataset.do === "next") goOn(current);
    else if (button?.dataset.do === "rebase") send({ do: "rebase", version: Number(button.dataset.version) }).then((done) => done && window.location.reload());
  });
  page.addEventListener("dblclick", (event) => { const cell = event.target.closest(".cell"); if (cell && !large.open) open(cell); });
  page.addEventListener("focusin", (event) => { const cell = event.target.closest(".cell"); if (cell) { if (current && current !== cell) current.tabIndex = -1; current = cell; cell.tabIndex = 0; } });
  page.addEventListener("change", (event) => {
    const item = event.target.dataset.remark;
    if (item) send({ do: "remark", item, text: event.target.value });
  });
  // Enter in a remark keeps it; only the signature's own fields sign.
  page.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.dataset.remark) { event.preventDefault(); event.target.blur(); } });

  // One of several that are marked takes the others along; any other goes alone.
  const dragged = (cell) => {
    focus(cell);
    if (cell.getAttribute("aria-pressed") !== "true") for (const one of cells()) one.removeAttribute("aria-pressed");
  };
  page.addEventListener("dragstart", (event) => { const cell = event.target.closest(".cell"); if (cell) { dragged(cell); event.dataTransfer.setData("text/plain", cell.dataset.number); } });
  for (const group of page.querySelectorAll(".group")) {
    group.addEventListener("dragover", (event) => { event.preventDefault(); group.classList.add("over"); });
    group.addEventListener("dragleave", () => group.classList.remove("over"));
    group.addEventListener("drop", (event) => { event.preventDefault(); group.classList.remove("over"); decide({ do: "name", class: group.dataset.class }); });
  }

  const size = document.getElementById("size");
  size.addEventListener("input", () => {
    const scale = Number(size.value);
    for (const image of page.querySelectorAll("[data-um]")) {
      const [width, height] = image.dataset.um.split(" ").map(Number);
      image.setAttribute("width", Math.round(width * scale));
      image.setAttribute("height", Math.round(height * scale));
    }
    document.getElementById("bar").setAttribute("width", Math.round(10 * scale));
  });

  // A cell was looked at when most of it stood on the screen for as long as an eye needs.
  const waiting = new Map();
  let seen = new Set();
  // What lies below the head, which grows with what others do, is scrolled under it.
  const head = page.querySelector(".head");
  const covered = head.offsetHeight;
  new ResizeObserver(() => {
    page.style.setProperty("--head", `${head.offsetHeight}px`);
    // A head that grows, as by the name of another reader, must not lie over the cell that the keys are about.
    if (!current || document.activeElement !== current) return;
    const at = current.getBoundingClientRect();
    const end = head.getBoundingClientRect().bottom;
    if (at.top < end && at.bottom > 0) window.scrollBy(0, at.top - end - 4);
  }).observe(head);
  const see = (cell) => {
    if (!cell.dataset.seen) seen.add(Number(cell.dataset.number));
    cell.dataset.seen = "1";
    watch.unobserve(cell);
  };
  // The large view lies over the gallery: nobody looks at what is behind it.
  const wait = (cell) => waiting.set(cell, setTimeout(() => { if (large.open) wait(cell); else see(cell); }, 400));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const cell = entry.target;
      if (!entry.isIntersecting) { clearTimeout(waiting.get(cell)); waiting.delete(cell); continue; }
      if (!waiting.has(cell)) wait(cell);
    }
  }, { threshold: 0.6, rootMargin: `-${covered}px 0px 0px 0px` });
  for (const cell of cells()) if (!cell.dataset.seen) watch.observe(cell);
  const sendSeen = async () => {
    if (!seen.size) return;
    const numbers = [...seen];
    seen = new Set();
    if (!(await send({ do: "look", cells: numbers }))) for (const number of numbers) seen.add(number);
  };
  setInterval(() => { if (!document.hidden) sendSeen(); }, 500);

  // What was named, remarked and seen is kept before the step is taken, and the step is asked for once.
  const form = page.querySelector("#signing form");
  form.addEventListener("submit", async (event) => {
    if (form.dataset.asked === "ready") { form.dataset.asked = "sent"; return; }
    event.preventDefault();
    if (form.dataset.asked) return;
    form.dataset.asked = "waits";
    await sendSeen();
    await turn;
    // A form does not submit while its own event is under way, which it is where nothing was to be waited for.
    await new Promise((done) => { setTimeout(done); });
    form.dataset.asked = "ready";
    form.requestSubmit(event.submitter);
  });
  window.addEventListener("pageshow", () => { delete form.dataset.asked; });

  focus(nextUndecided(null) || cells()[0]);
})();
