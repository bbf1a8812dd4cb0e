// The desks' pages: keyboard shortcuts, and lists that refresh without losing focus or selection.
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

  // The whole list is replaced. The focus returns to the same row, or to the one in its place; selected text and
  // chosen cases stay so, and new rows are announced.
  const tickets = () => new Set([...document.querySelectorAll("[data-ticket]")].map((row) => row.dataset.ticket));
  const rowOf = (ticket) => document.querySelector(`[data-ticket="${ticket}"]`);
  let before = tickets();
  let focused = null;
  let at = 0;
  let marked = null;
  let picked = [];
  let onPick = false;
  let fresh = 0;
  let pressedAt = -Infinity;

  function place(node, offset) {
    const row = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest?.("[data-ticket]");
    if (!row) return null;
    const range = document.createRange();
    range.selectNodeContents(row);
    range.setEnd(node, offset);
    return { ticket: row.dataset.ticket, length: range.toString().length };
  }

  function found({ ticket, length }) {
    const row = rowOf(ticket);
    const walker = row && document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    for (let left = length; walker?.nextNode(); left -= walker.currentNode.length) {
      if (left <= walker.currentNode.length) return [walker.currentNode, left];
    }
    return null;
  }

  function mark() {
    const [from, to] = marked.map(found);
    if (from && to) getSelection().setBaseAndExtent(...from, ...to);
  }

  // What is being clicked stays where it is: a click whose row was replaced between press and release would be lost.
  document.addEventListener("pointerdown", () => { pressedAt = performance.now(); });
  ["pointerup", "pointercancel"].forEach((name) => document.addEventListener(name, () => { pressedAt = -Infinity; }));
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (performance.now() - pressedAt < PRESS_MS) {
      event.detail.shouldSwap = false;
      later(PRESS_MS);
      return;
    }
    before = tickets();
    focused = document.activeElement?.closest("[data-ticket]")?.dataset.ticket || null;
    at = rows().indexOf(document.activeElement);
    onPick = document.activeElement?.name === "tiket";
    picked = [...document.querySelectorAll("#worklist [name=tiket]:checked")].map((box) => box.value);
    const chosen = getSelection();
    marked = chosen.isCollapsed ? null : [place(chosen.anchorNode, chosen.anchorOffset), place(chosen.focusNode, chosen.focusOffset)];
  });
  // During the swap, not after it has settled: a key pressed in between would start at the top.
  document.addEventListener("htmx:afterSwap", () => {
    const all = rows();
    picked.forEach((ticket) => { const box = rowOf(ticket)?.querySelector("[name=tiket]"); if (box) box.checked = true; });
    if (focused) (rowOf(focused)?.querySelector(onPick ? "[name=tiket]" : "[data-row]") ?? all[Math.min(at, all.length - 1)])?.focus({ preventScroll: true });
    if (marked?.every(Boolean)) mark();
    focused = marked = null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (offline) offline.hidden = true;
    later(document.hidden || (source && source.readyState !== EventSource.CLOSED) ? ANYWAY_MS : UNTOLD_MS);
    const come = [...tickets()].filter((ticket) => !before.has(ticket)).length;
    if (!come) return;
    fresh = document.hidden ? fresh + come : 0;
    document.title = fresh ? `(${fresh}) ${title}` : title;
    // Emptied first, because screen readers do not announce the same sentence twice.
    if (news) { news.textContent = ""; setTimeout(() => { news.textContent = news.dataset.said.replace("{n}", come); }, 100); }
  });
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, () => {
    if (offline) offline.hidden = false;
    later(FAILED_MS);
  }));

  // A stream announces changes while the page is visible; the list is also polled now and then.
  const ANYWAY_MS = 60_000;
  const UNTOLD_MS = 10_000;
  const FAILED_MS = 5_000;
  const PRESS_MS = 3_000;
  const feed = document.querySelector("[data-changes]");
  let source = null;
  let timer = null;
  let gaveUpAt = -Infinity;

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(renew, wait);
  }

  function renew() {
    const list = document.getElementById("worklist");
    if (!list) return;
    later(ANYWAY_MS);
    listen();
    window.htmx?.trigger(list, "renew");
  }

  function listen() {
    if (document.hidden || !window.EventSource || performance.now() - gaveUpAt < ANYWAY_MS) return;
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(feed.dataset.changes);
    source.addEventListener("ready", renew);
    source.addEventListener("change", renew);
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      // Refused: no stream is free, or the log-in has ended, which the list's own request reports.
      gaveUpAt = performance.now();
      later(UNTOLD_MS);
    });
  }

  function stop() {
    source?.close();
    source = null;
  }

  if (feed) {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) { stop(); return; }
      fresh = 0;
      document.title = title;
      renew();
    });
    addEventListener("pagehide", stop);
    addEventListener("pageshow", (event) => { if (event.persisted) renew(); });
    listen();
    later(ANYWAY_MS);
  }
})();
