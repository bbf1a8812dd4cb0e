// Sends files as soon as they are chosen, dragged or pasted, by the tus protocol, so that an upload that breaks off goes
// on where it stopped. The form then only names the uploads. Without scripts the files come with the form.
(() => {
  "use strict";
  const MB = 1_000_000;
  const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000, 30000];
  const CHUNK_BYTES = 2 * MB;
  const LOOK_MS = 700;
  const page = document.body.dataset;

  // Where an upload stopped is remembered on this device by a hash: neither a file's name nor its size is readable.
  const PREFIX = `nkk:uploads:${page.draftOwner || ""}:`;
  const memory = {
    all: () => { try { return Object.keys(localStorage).filter((key) => key.startsWith("nkk:uploads:")); } catch { return []; } },
    get: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* nothing is remembered here */ } },
    drop: (key) => { try { localStorage.removeItem(key); } catch { /* nothing is remembered here */ } },
  };
  const DAY_MS = 86_400_000;
  memory.all().filter((key) => !key.startsWith(PREFIX) || !(memory.get(key)?.until > Date.now())).forEach(memory.drop);
  const remembered = {
    findAllUploads: async () => [],
    findUploadsByFingerprint: async (key) => {
      const kept = memory.get(key);
      return kept ? [{ ...kept, urlStorageKey: key, metadata: {}, creationTime: "" }] : [];
    },
    removeUpload: async (key) => memory.drop(key),
    addUpload: async (key, upload) => {
      memory.set(key, { uploadUrl: upload.uploadUrl, size: upload.size, until: Date.now() + DAY_MS });
      return key;
    },
  };
  async function fingerprint(file) {
    if (!window.crypto?.subtle) return null;
    const text = new TextEncoder().encode([page.draftOwner, file.name, file.size, file.lastModified].join("\0"));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    return PREFIX + btoa(String.fromCharCode(...hash.slice(0, 18)));
  }

  function take(field) {
    const says = field.dataset;
    const input = field.querySelector("input[type=file]");
    const list = field.querySelector("[data-list]");
    const ids = field.querySelector("[data-ids]");
    const said = field.querySelector("[data-said]");
    const form = field.closest("form");
    const items = new Set();
    field.querySelector("[data-only-script]").hidden = false;

    const tell = (text) => { said.hidden = !text; said.textContent = text; };
    const note = () => {
      ids.value = [...items].filter((item) => item.id && !item.refused).map((item) => item.id).join(" ");
      ids.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const headers = () => ({ "X-CSRFToken": says.token });

    function line(name) {
      const item = { id: "", size: 0, refused: false, sending: false, upload: null };
      item.line = document.createElement("li");
      const shown = document.createElement("bdi");
      shown.className = "name";
      shown.textContent = name;
      item.bar = document.createElement("progress");
      item.bar.max = 100;
      item.bar.setAttribute("aria-label", name);
      item.bar.hidden = true;
      item.state = document.createElement("span");
      item.state.className = "hint";
      item.state.setAttribute("role", "status");
      item.again = document.createElement("button");
      item.again.type = "button";
      item.again.className = "link";
      item.again.textContent = says.goOn;
      item.again.hidden = true;
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "link";
      const whose = document.createElement("span");
      whose.className = "hidden";
      whose.textContent = ` ${name}`;
      drop.append(says.drop, whose);
      drop.addEventListener("click", () => remove(item));
      item.line.append(shown, " ", item.bar, " ", item.state, " ", item.again, " ", drop);
      list.append(item.line);
      items.add(item);
      return item;
    }

    function remove(item) {
      items.delete(item);
      item.line.remove();
      const url = item.upload?.url || (item.id && `${says.uploads}/${item.id}`);
      item.upload?.abort().catch(() => {});
      if (item.key) memory.drop(item.key);
      if (url) fetch(url, { method: "DELETE", headers: { ...headers(), "Tus-Resumable": "1.0.0" } }).catch(() => {});
      note();
      tell("");
      input.focus();
    }

    const show = (item, text, percent) => {
      item.state.textContent = text;
      item.bar.hidden = percent === undefined;
      if (percent !== undefined) item.bar.value = percent;
    };

    const fail = (item, text) => {
      item.refused = true;
      item.sending = false;
      item.state.classList.add("fault");
      show(item, text);
      note();
    };

    // Asks until the upload is checked. Returns whether there is such an upload.
    async function look(item) {
      for (;;) {
        let found;
        try {
          const answer = await fetch(`${says.uploads}/${item.id}`, { headers: { Accept: "application/json" } });
          if (answer.status === 404) return false;
          if (!answer.ok) throw new Error(String(answer.status));
          found = await answer.json();
        } catch {
          await new Promise((done) => { setTimeout(done, LOOK_MS * 4); });
          continue;
        }
        if (!items.has(item)) return true;
        if (found.state === "refused") { fail(item, found.said); return true; }
        if (found.state === "ready") {
          item.sending = false;
          show(item, found.said);
          return true;
        }
        show(item, says.checking);
        await new Promise((done) => { setTimeout(done, LOOK_MS); });
      }
    }

    async function send(file) {
      const item = line(file.name);
      if (file.size === 0) { fail(item, says.empty); return; }
      if (file.size > Number(says.fileMb) * MB) { fail(item, says.tooLong); return; }
      item.size = file.size;
      item.sending = true;
      item.key = await fingerprint(file);
      const upload = item.upload = new tus.Upload(file, {
        endpoint: says.uploads,
        chunkSize: CHUNK_BYTES,
        retryDelays: RETRY_MS,
        metadata: { filename: file.name, original: field.querySelector("[name=asli]")?.checked ? "1" : "" },
        headers: headers(),
        fingerprint: async () => item.key,
        storeFingerprintForResuming: Boolean(item.key),
        removeFingerprintOnSuccess: true,
        urlStorage: remembered,
        onProgress: (sent, whole) => show(item, says.sending.replace("{n}", String(Math.floor(100 * sent / whole))), 100 * sent / whole),
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          show(item, says.waiting, Number(item.bar.value));
          return status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
        },
        onError: (error) => {
          item.sending = false;
          const status = error.originalResponse?.getStatus() ?? 0;
          const isOut = status === 401;
          if (status >= 400 && status < 500 && !isOut) {
            memory.drop(item.key);
            let why = says.failed;
            try { why = JSON.parse(error.originalResponse.getBody()).said || why; } catch { /* no sentence came */ }
            fail(item, why);
            return;
          }
          show(item, isOut ? says.logIn : says.waiting, Number(item.bar.value));
          item.again.hidden = false;
        },
        onSuccess: async () => {
          item.id = upload.url.split("/").pop();
          note();
          await look(item);
        },
      });
      const goOn = () => {
        if (item.sending || item.id || !items.has(item)) return;
        item.sending = true;
        item.again.hidden = true;
        upload.start();
      };
      item.again.addEventListener("click", goOn);
      addEventListener("online", goOn);
      const before = item.key ? await upload.findPreviousUploads() : [];
      if (before.length) upload.resumeFromPreviousUpload(before[0]);
      upload.start();
    }

    function add(files) {
      tell("");
      for (const file of files) {
        const taken = [...items].filter((item) => !item.refused);
        if (taken.length >= Number(says.most)) { tell(says.tooMany); return; }
        if (taken.reduce((sum, item) => sum + item.size, file.size) > Number(says.filesMb) * MB) { tell(says.allTooLong); return; }
        send(file);
      }
    }

    input.addEventListener("change", () => {
      const chosen = [...input.files];
      // Emptied, so that the files are not sent a second time with the form.
      input.value = "";
      add(chosen);
    });
    const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    field.addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      field.classList.add("over");
    });
    for (const name of ["dragleave", "drop"]) field.addEventListener(name, () => field.classList.remove("over"));
    field.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      add([...event.dataTransfer.files]);
    });
    // A file that is dropped beside the field must not replace the page.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => { if (carries(event)) event.preventDefault(); });
    form.addEventListener("paste", (event) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (!pasted.length) return;
      event.preventDefault();
      add(pasted);
    });
    form.addEventListener("submit", (event) => {
      if (![...items].some((item) => item.sending)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      tell(says.unfinished);
      field.scrollIntoView({ block: "center" });
    }, true);

    // The uploads of a form that is shown again, or of a draft.
    async function restore() {
      for (const shown of [...list.querySelectorAll("[data-upload]")]) shown.remove();
      for (const id of new Set(ids.value.split(" ").filter(Boolean))) {
        const answer = await fetch(`${says.uploads}/${id}`, { headers: { Accept: "application/json" } }).catch(() => null);
        if (answer?.status === 404) continue;
        const found = answer?.ok ? await answer.json() : { name: "", size: 0 };
        const item = line(found.name || id.slice(0, 6));
        item.id = id;
        item.size = found.size || 0;
        look(item);
      }
      note();
    }
    window.nkkDrafts.restored.then(() => { if (ids.value) restore(); });
  }

  document.querySelectorAll("[data-uploads]").forEach(take);
})();
