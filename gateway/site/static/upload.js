// Sends files as soon as they are chosen, dragged or pasted, by the tus protocol, so that an upload that breaks off goes
// on where it stopped. The form then only names the uploads. Without scripts the files come with the form.
(() => {
  "use strict";
  const MB = 1_000_000;
  const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000, 30000];
  const CHUNK_BYTES = 2 * MB;
  const LOOK_MS = 700;
  // Whether an answer, or none (0), says that the same upload may go on later.
  const passes = (status) => [0, 401, 408, 409, 423, 429].includes(status) || status >= 500;
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

  // Some files are sent at once, the others in their turn: ten on a slow line would take the places of everybody else.
  const turns = { free: 2, waiting: [] };
  const awaitTurn = async (item) => {
    item.waits = true;
    if (turns.free > 0) turns.free -= 1;
    else await new Promise((comes) => { turns.waiting.push(comes); });
    item.waits = false;
    item.hasTurn = true;
  };
  const endTurn = (item) => {
    if (!item.hasTurn) return;
    item.hasTurn = false;
    const next = turns.waiting.shift();
    if (next) next();
    else turns.free += 1;
  };

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

    // While an upload rested, the log-in may have ended, and a log-in in another tab has made the page's token void.
    // Returns whether the same person is logged in; true also while the line is down, which the next request finds out.
    async function renew() {
      const answer = await fetch(`${says.uploads}/token`, { headers: { Accept: "application/json" } }).catch(() => null);
      if (answer && answer.status >= 400 && answer.status < 500) return false;
      if (!answer?.ok) return true;
      const { token, owner } = await answer.json();
      if (owner !== page.draftOwner) return false;
      says.token = token;
      document.querySelectorAll("input[name=csrf_token]").forEach((field) => { field.value = token; });
      return true;
    }

    function line(name) {
      const item = { id: "", size: 0, refused: false, sending: false, resting: false, isOut: false, waits: false, hasTurn: false, upload: null };
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
      endTurn(item);
      item.line.remove();
      const url = item.upload?.url || (item.id && `${says.uploads}/${item.id}`);
      item.upload?.abort().catch(() => {});
      if (item.key) memory.drop(item.key);
      if (url) fetch(url, { method: "DELETE", headers: { "X-CSRFToken": says.token, "Tus-Resumable": "1.0.0" } }).catch(() => {});
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

    // Asks until the upload is checked.
    async function look(item) {
      for (;;) {
        let found;
        try {
          const answer = await fetch(`${says.uploads}/${item.id}`, { headers: { Accept: "application/json" } });
          if (answer.status === 404) { fail(item, says.failed); return; }
          if (answer.status === 401) show(item, says.logIn);
          if (!answer.ok) throw new Error(String(answer.status));
          found = await answer.json();
        } catch {
          await new Promise((done) => { setTimeout(done, LOOK_MS * 4); });
          continue;
        }
        if (!items.has(item)) return;
        if (found.state === "refused") { fail(item, found.said); return; }
        if (found.state === "ready") {
          item.sending = false;
          show(item, found.said);
          return;
        }
        show(item, says.checking);
        await new Promise((done) => { setTimeout(done, LOOK_MS); });
      }
    }

    // Waits for the turn of a file, and returns whether that is still to be sent.
    async function comes(item) {
      if (!item.hasTurn) await awaitTurn(item);
      if (!items.has(item)) endTurn(item);
      return item.hasTurn;
    }

    async function send(file) {
      const item = line(file.name);
      if (file.size === 0) { fail(item, says.empty); return; }
      if (file.size > Number(says.fileMb) * MB) { fail(item, says.tooLong); return; }
      item.size = file.size;
      item.sending = true;
      const original = field.querySelector("[name=asli]")?.checked ? "1" : "";
      show(item, says.sending.replace("{n}", "0"), 0);
      if (!(await comes(item))) return;
      item.key = await fingerprint(file);
      const upload = item.upload = new tus.Upload(file, {
        endpoint: says.uploads,
        chunkSize: CHUNK_BYTES,
        retryDelays: RETRY_MS,
        metadata: { filename: file.name, original },
        fingerprint: async () => item.key,
        storeFingerprintForResuming: Boolean(item.key),
        removeFingerprintOnSuccess: true,
        urlStorage: remembered,
        onProgress: (sent, whole) => show(item, says.sending.replace("{n}", String(Math.floor(100 * sent / whole))), 100 * sent / whole),
        onBeforeRequest: async (request) => {
          const rested = item.resting;
          item.resting = false;
          if (rested && !(await renew())) { item.isOut = true; throw new Error("not logged in"); }
          request.setHeader("X-CSRFToken", says.token);
        },
        // The client begins anew where it does not learn how much has come. Only an upload that is gone is worth that.
        onAfterResponse: (request, response) => {
          const status = response.getStatus();
          if (request.getMethod() === "HEAD" && status >= 300 && status !== 404) throw new Error(String(status));
        },
        onShouldRetry: (error) => {
          const status = error.originalResponse?.getStatus() ?? 0;
          item.resting = true;
          if (item.isOut) return false;
          show(item, says.waiting, Number(item.bar.value));
          return passes(status);
        },
        onError: (error) => {
          item.sending = false;
          endTurn(item);
          const status = error.originalResponse?.getStatus() ?? 0;
          const isOut = item.isOut || status === 401;
          if (!isOut && !passes(status)) {
            memory.drop(item.key);
            let why = says.failed;
            try { why = JSON.parse(error.originalResponse.getBody()).said || why; } catch { /* no sentence came */ }
            fail(item, why);
            return;
          }
          item.resting = true;
          show(item, isOut ? says.logIn : says.waiting, Number(item.bar.value));
          item.again.hidden = false;
        },
        onSuccess: async () => {
          item.id = upload.url.split("/").pop();
          endTurn(item);
          note();
          await look(item);
        },
      });
      const goOn = async () => {
        if (!item.resting || item.waits || item.id || !items.has(item)) return;
        item.sending = true;
        item.isOut = false;
        item.again.hidden = true;
        await upload.abort();
        if (await comes(item)) upload.start();
      };
      item.again.addEventListener("click", goOn);
      addEventListener("online", goOn);
      const before = item.key ? await upload.findPreviousUploads() : [];
      if (before.length) upload.resumeFromPreviousUpload(before[0]);
      upload.start();
    }

    function add(files) {
      tell("");
      const left = [];
      for (const file of files) {
        const taken = [...items].filter((item) => !item.refused);
        const isLong = taken.reduce((sum, item) => sum + item.size, file.size) > Number(says.filesMb) * MB;
        if (taken.length < Number(says.most) && !isLong) { send(file); continue; }
        left.push(file.name);
        tell(`${isLong ? says.allTooLong : says.tooMany} ${says.leftOut.replace("{n}", () => left.join(", "))}`);
      }
    }

    input.addEventListener("change", () => {
      const chosen = [...input.files];
      // Emptied, so that the files are not sent a second time with the form.
      input.value = "";
      add(chosen);
    });
    const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    // The whole page takes what is dropped: beside the field, the browser would open the file in place of the form.
    addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      field.classList.add("over");
    });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) field.classList.remove("over"); });
    addEventListener("drop", (event) => {
      field.classList.remove("over");
      if (!carries(event)) return;
      event.preventDefault();
      add([...event.dataTransfer.files]);
    });
    form.addEventListener("paste", (event) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (!pasted.length) return;
      event.preventDefault();
      add(pasted);
    });
    form.addEventListener("submit", (event) => {
      if (![...items].some((item) => !item.refused && (item.sending || !item.id))) return;
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
