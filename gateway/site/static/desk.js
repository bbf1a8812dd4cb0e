// For who works here all day: keys, and what a list that renews itself must not take away.
(() => {
  "use strict";
  const OFF = "nkk:keys-off";
  const dialog = document.querySelector("[data-keys-dialog]");
  const news = document.querySelector("[data-news]");
  const offline = document.querySelector("[data-offline-note]");
  const title = document.title;

  const off = () => { try { return localStorage.getItem(OFF) === "yes"; } catch { return false; } };
  const rows = () => [...document.querySelectorAll("[data-row]")];

  function move(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)].focus();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    u: () => document.querySelector("[data-up]")?.click(),
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => dialog?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog?.open || off()) return;
    if (event.target.closest("input:not([type=radio]):not([type=checkbox]), select, textarea")) return;
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  document.querySelectorAll("[data-keys]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => dialog.showModal()); });
  const box = document.querySelector("[data-keys-off]");
  if (box) {
    box.checked = off();
    box.addEventListener("change", () => { try { localStorage.setItem(OFF, box.checked ? "yes" : "no"); } catch { /* for this page only */ } });
  }

  // The list is swapped whole: the row that had the focus gets it back, and new rows are told of.
  const tickets = () => new Set([...document.querySelectorAll("[data-ticket]")].map((row) => row.dataset.ticket));
  let before = tickets();
  let focused = null;
  let fresh = 0;
  document.addEventListener("htmx:beforeSwap", () => {
    before = tickets();
    focused = document.activeElement?.closest("[data-ticket]")?.dataset.ticket || null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (offline) offline.hidden = true;
    if (focused) document.querySelector(`[data-ticket="${focused}"] [data-row]`)?.focus();
    const come = [...tickets()].filter((ticket) => !before.has(ticket)).length;
    if (!come) return;
    fresh = document.hidden ? fresh + come : 0;
    document.title = fresh ? `(${fresh}) ${title}` : title;
    if (news) news.textContent = news.dataset.said.replace("{n}", come);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { fresh = 0; document.title = title; } });
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, () => {
    if (offline) offline.hidden = false;
  }));
})();
