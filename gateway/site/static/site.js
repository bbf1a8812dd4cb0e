// What makes the pages kinder where scripts run; every page does its work without.
(() => {
  "use strict";
  const PREFIX = "nkk:draft:";
  const owner = document.body.dataset.draftOwner || "";

  // A browser may refuse storage (private windows, policy): a draft is a help, never a condition.
  const store = {
    get: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
    drop: (key) => { try { localStorage.removeItem(key); } catch { /* nothing is kept here */ } },
    keys: () => { try { return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)); } catch { return []; } },
  };

  function forget(keep) {
    store.keys().filter((key) => !keep(key)).forEach(store.drop);
  }
  if ("forgetDrafts" in document.body.dataset) forget(() => false);
  // Somebody else has logged in on this device: what the one before left unsent is not theirs to see.
  if (owner) forget((key) => key.startsWith(`${PREFIX}${owner}:`));
  const over = [document.body.dataset.draftDone, ...[...document.querySelectorAll("[data-draft-over]")].map((mark) => mark.dataset.draftOver)];
  over.filter(Boolean).forEach((name) => store.drop(`${PREFIX}${owner}:${name}`));

  const written = (form) => [...form.elements].filter((field) => field.name && field.name !== "csrf_token" && field.type !== "submit" && !field.readOnly);

  function content(form) {
    const values = {};
    for (const field of written(form)) {
      if (field.type === "checkbox") values[field.name] = field.checked;
      else if (field.type === "radio") { if (field.checked) values[field.name] = field.value; }
      else values[field.name] = field.value;
    }
    return values;
  }

  function fill(form, values) {
    for (const field of written(form)) {
      if (!(field.name in values)) continue;
      if (field.type === "checkbox") field.checked = values[field.name];
      else if (field.type === "radio") field.checked = values[field.name] === field.value;
      else field.value = values[field.name];
    }
  }

  function keepDraft(form) {
    const key = `${PREFIX}${owner}:${form.dataset.draft}`;
    const note = form.querySelector("[data-draft-note]");
    const asServed = JSON.stringify(content(form));
    const tell = (text) => { if (note) { note.hidden = false; note.querySelector("span").textContent = text; } };
    const save = () => { if (store.set(key, content(form)) && note) tell(note.dataset.saved); };
    // A form shown again holds what was typed last, and perhaps a fresh key: it outranks the draft.
    if (form.dataset.kept) save();
    const draft = store.get(key);
    if (draft && JSON.stringify(draft) !== asServed) {
      fill(form, draft);
      if (note) tell(note.dataset.restored);
    }
    form.addEventListener("input", save);
    form.addEventListener("change", save);
    if (note) note.querySelector("button").addEventListener("click", () => { store.drop(key); location.assign(form.getAttribute("action")); });
  }

  function narrow(select) {
    const groups = [...select.querySelectorAll("optgroup")];
    if (groups.length < 2) return;
    const first = document.createElement("select");
    first.id = `${select.id}-main`;
    first.lang = select.lang;
    first.add(new Option(select.dataset.narrowAll, ""));
    groups.forEach((group, number) => first.add(new Option(group.label, String(number))));
    const label = document.createElement("label");
    label.htmlFor = first.id;
    label.textContent = select.dataset.narrow;
    const field = document.createElement("div");
    field.className = "field";
    field.append(label, first);
    select.closest(".field").before(field);
    const show = () => {
      const chosen = first.value === "" ? groups : [groups[Number(first.value)]];
      const value = select.value;
      groups.forEach((group) => group.remove());
      select.append(...chosen);
      select.value = value;
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    };
    first.addEventListener("change", show);
    const group = select.selectedOptions[0]?.parentElement;
    if (groups.includes(group)) { first.value = String(groups.indexOf(group)); show(); }
  }

  // One click, one request. Coming back with the back button opens the form again.
  function once(form) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      if (form.dataset.offline && navigator.onLine === false) {
        event.preventDefault();
        alert(form.dataset.offline);
        return;
      }
      form.dataset.sent = "yes";
      // After the browser has put the form together: a disabled button would not be in it.
      setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((button) => { button.disabled = true; }));
    });
  }
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
    });
  });

  function count(area) {
    const note = document.createElement("p");
    note.className = "left";
    const show = () => {
      const left = area.maxLength - area.value.length;
      note.hidden = left > area.maxLength / 10;
      note.textContent = area.dataset.left.replace("{n}", left.toLocaleString(document.documentElement.lang));
    };
    area.after(note);
    area.addEventListener("input", show);
    show();
  }

  function onlyFor(field) {
    const form = field.closest("form");
    const show = () => {
      const kind = form.elements.kind.value;
      field.closest(".field").hidden = kind !== "" && kind !== field.dataset.onlyFor;
    };
    form.addEventListener("change", show);
    show();
  }

  document.querySelectorAll("form[data-draft]").forEach(keepDraft);
  document.querySelectorAll("select[data-narrow]").forEach(narrow);
  document.querySelectorAll("form[data-once]").forEach(once);
  document.querySelectorAll("textarea[data-left]").forEach(count);
  document.querySelectorAll("[data-only-for]").forEach(onlyFor);
  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => print()); });
  document.querySelectorAll("form[data-leaving]").forEach((form) => form.addEventListener("submit", (event) => {
    if (store.keys().length && !confirm(form.dataset.leaving)) event.preventDefault();
  }));
  document.querySelector("[data-focus]")?.focus();
})();
