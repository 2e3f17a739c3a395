// The bench: its state once a second, its picture as fast as it comes, and nothing while nobody looks.
"use strict";
(() => {
  const live = document.getElementById("bench-live");
  const controls = document.getElementById("bench-controls");
  const status = document.getElementById("bench-status");
  const field = document.getElementById("field");
  const none = document.getElementById("no-field");

  let shown = "";

  const show = (frame) => {
    none.hidden = frame > 0;
    field.hidden = frame === 0;
    // The picture before this one must have come: a slow line gets fewer of them.
    if (frame > 0 && String(frame) !== field.dataset.frame && field.complete) {
      field.dataset.frame = frame;
      field.src = `/bench/field.jpg?frame=${frame}`;
    }
  };

  const refresh = async () => {
    if (document.hidden) return;
    const response = await fetch("/bench/state", { headers: { accept: "application/json" } });
    if (response.status === 401) { window.location.assign("/sign-in"); return; }
    if (!response.ok) return;
    const now = await response.json();
    if (now.live !== shown) live.innerHTML = shown = now.live;
    if (status.innerHTML.trim() !== now.status) status.innerHTML = now.status;
    if (controls.dataset.key !== now.key) {
      const inside = controls.contains(document.activeElement);
      controls.dataset.key = now.key;
      controls.innerHTML = now.controls;
      if (inside) controls.querySelector("input:not([type=hidden]), button")?.focus();
    }
    show(now.frame);
  };

  const again = async () => {
    try {
      await refresh();
    } catch {
      // The page's own process is away; it may come back.
    }
    setTimeout(again, 1000);
  };
  setTimeout(again, 1000);
})();
