// Improvements of the pages where scripts run; every page works without.
(() => {
  "use strict";
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

  // One click sends one request. The back button enables the form again.
  function once(form) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) { event.preventDefault(); return; }
      if (form.dataset.offline && navigator.onLine === false) {
        event.preventDefault();
        alert(form.dataset.offline);
        return;
      }
      form.dataset.sent = "yes";
      // After the browser has collected the form's data, which would not include a disabled button.
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
      // Typed or pasted text is not truncated, because the end of a report would be lost unnoticed.
      const most = Number(area.dataset.most), left = most - area.value.length;
      note.hidden = left > most / 10;
      note.classList.toggle("over", left < 0);
      note.textContent = (left < 0 ? area.dataset.over : area.dataset.left)
        .replace("{n}", Math.abs(left).toLocaleString(document.documentElement.lang));
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

  document.querySelectorAll("form[data-once]").forEach(once);
  // These depend on what was typed, so they run after a draft is restored.
  (window.nkkDrafts?.restored ?? Promise.resolve()).then(() => {
    document.querySelectorAll("select[data-narrow]").forEach(narrow);
    document.querySelectorAll("textarea[data-left]").forEach(count);
    document.querySelectorAll("[data-only-for]").forEach(onlyFor);
  });
  document.querySelectorAll("[data-print]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => print()); });
  document.querySelectorAll("form[data-leaving]").forEach((form) => form.addEventListener("submit", (event) => {
    if (window.nkkDrafts?.any() && !confirm(form.dataset.leaving)) event.preventDefault();
  }));
  document.querySelector("[data-focus]")?.focus();
})();
