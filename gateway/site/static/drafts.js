// Drafts stay on this device until they are sent. They are encrypted with a key that only the pages of the account's
// log-ins contain and that is not stored, so that nothing readable is left when a session has ended.
window.nkkDrafts = (() => {
  "use strict";
  const PREFIX = "nkk:sealed:";
  // The prefix of drafts of earlier versions, which were not encrypted.
  const READABLE = "nkk:draft:";
  const KEPT_DAYS = 7;
  const DAY_MS = 86_400_000;
  // Padded, so that the length tells little about how much was written.
  const PADDED_TO = 4096;
  const page = document.body.dataset;
  const owner = page.draftOwner || "";
  const mine = `${PREFIX}${owner}:`;

  // A browser may refuse storage (private windows, policy); forms work without drafts.
  const store = {
    get: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } },
    drop: (key) => { try { localStorage.removeItem(key); } catch { /* nothing is kept here */ } },
    keys: (prefix) => { try { return Object.keys(localStorage).filter((key) => key.startsWith(prefix)); } catch { return []; } },
  };
  const forget = (prefix, keep) => store.keys(prefix).filter((key) => !keep(key)).forEach(store.drop);
  const today = () => Math.floor(Date.now() / DAY_MS);

  const leaving = "forgetDrafts" in page;
  // After another account has logged in on this device, the previous account's drafts are deleted.
  forget(PREFIX, (key) => !leaving && (!owner || key.startsWith(mine)) && store.get(key)?.until >= today());
  forget(READABLE, (key) => !leaving && owner && key.startsWith(`${READABLE}${owner}:`));
  [page.draftDone, ...[...document.querySelectorAll("[data-draft-over]")].map((mark) => mark.dataset.draftOver)]
    .filter(Boolean).forEach((name) => store.drop(mine + name));

  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const written = (of) => btoa(Array.from(of, (byte) => String.fromCharCode(byte)).join(""));
  // Without TLS browsers do not encrypt (no secure context), so that no draft is stored.
  const key = page.draftKey && window.crypto?.subtle
    ? crypto.subtle.importKey("raw", bytes(page.draftKey), "AES-GCM", false, ["encrypt", "decrypt"]) : null;
  // Removed, so that a saved page does not contain the key.
  delete page.draftKey;

  const how = (name, iv) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(mine + name) });

  async function seal(name, values) {
    const text = new TextEncoder().encode(JSON.stringify(values));
    const padded = new Uint8Array(Math.ceil(text.length / PADDED_TO) * PADDED_TO).fill(32);
    padded.set(text);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const box = new Uint8Array(await crypto.subtle.encrypt(how(name, iv), await key, padded));
    return { until: today() + KEPT_DAYS, iv: written(iv), box: written(box) };
  }

  async function unseal(name) {
    const kept = store.get(mine + name);
    if (!kept) return null;
    try {
      return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how(name, bytes(kept.iv)), await key, bytes(kept.box))));
    } catch {
      store.drop(mine + name);
      return null;
    }
  }

  const fields = (form) => [...form.elements].filter((field) => field.name && field.name !== "csrf_token" && !["submit", "file"].includes(field.type) && !field.readOnly);

  function content(form) {
    const values = {};
    for (const field of fields(form)) {
      if (field.type === "checkbox") values[field.name] = field.checked;
      else if (field.type === "radio") { if (field.checked) values[field.name] = field.value; }
      else values[field.name] = field.value;
    }
    return values;
  }

  function fill(form, values) {
    for (const field of fields(form)) {
      if (!(field.name in values)) continue;
      if (field.type === "checkbox") field.checked = values[field.name];
      else if (field.type === "radio") field.checked = values[field.name] === field.value;
      else field.value = values[field.name];
    }
  }

  // Returns, and deletes, the draft of an earlier version, which was not encrypted.
  function taken(form) {
    const old = `${READABLE}${owner}:${form.dataset.draftWas}`;
    const values = store.get(old);
    store.drop(old);
    return values;
  }

  async function keep(form) {
    const name = form.dataset.draft;
    const note = form.querySelector("[data-draft-note]");
    const discard = note?.querySelector("button");
    const tell = (text) => { if (note) { note.hidden = false; note.querySelector("span").textContent = text; } };
    if (!key) {
      tell(note?.dataset.unkept);
      if (discard) discard.hidden = true;
      if (form.dataset.offlineUnkept) form.dataset.offline = form.dataset.offlineUnkept;
      return;
    }
    // The key of the page as it was served. A draft that is shown brings its own key.
    const visit = form.elements.key?.value;
    const typing = () => ({ ...content(form), visit });
    const asServed = JSON.stringify(typing());
    let typed = false;
    let over = false;
    const save = async () => {
      const box = await seal(name, typing());
      if (!over && store.set(mine + name, box)) tell(note?.dataset.saved);
    };
    const restore = async () => {
      const before = taken(form);
      const draft = before ?? await unseal(name);
      if (!draft || typed) return;
      if (JSON.stringify(draft) !== asServed) {
        // A link that was followed since chooses its fields. After that the visitor's choice counts, where the form has a
        // key that tells.
        const linked = visit && draft.visit === visit ? [] : [...form.querySelectorAll("[data-linked]")].map((field) => field.name);
        fill(form, Object.fromEntries(Object.entries(draft).filter(([field]) => !linked.includes(field))));
        tell(note?.dataset.restored);
      }
      if (before) store.set(mine + name, await seal(name, draft));
    };
    // A form shown again has what was typed last, and perhaps a new key, and takes precedence over the draft.
    let done = form.dataset.kept ? save() : restore();
    const later = () => { typed = true; done = done.then(save); };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    discard?.addEventListener("click", () => { over = true; store.drop(mine + name); location.assign(form.getAttribute("action")); });
    await done;
  }

  return {
    any: () => store.keys(mine).length > 0,
    restored: Promise.allSettled([...document.querySelectorAll("form[data-draft]")].map(keep)),
  };
})();
