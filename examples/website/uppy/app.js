// Sends a report with files to the complaint service from the visitor's browser. Uppy sends the files by tus as soon as they
// are chosen, and goes on where it stopped after the line was lost.
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";

const service = `${document.querySelector("meta[name=service]").content}/api/v1`;
const find = (selector) => document.querySelector(selector);
const say = (text) => { find("#message").textContent = text; };
let session = null;
let key = crypto.randomUUID();

async function call(method, path, body, headers = {}) {
  const response = await fetch(service + path, {
    method,
    credentials: "omit",
    headers: {
      ...(body && { "Content-Type": "application/json" }), ...(session && { Authorization: await authorization() }), ...headers,
    },
    body: body && JSON.stringify(body),
  });
  const content = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw Object.assign(new Error(content.detail ?? content.title), { status: response.status });
  return content;
}

// An access token lasts 15 minutes, and a long file on a weak line takes longer: it is renewed a minute before it ends, once for
// all requests that wait for it.
let renewing = null;
async function authorization() {
  if (Date.parse(session.expires_at) - Date.now() < 60_000) {
    renewing ??= fetch(`${service}/sessions/current/renewal`, {
      method: "POST", credentials: "omit",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ refresh_token: session.refresh_token }),
    }).then(async (response) => {
      if (response.ok) session = { ...session, ...await response.json() };
    }).finally(() => { renewing = null; });
    await renewing;
  }
  return `Bearer ${session.access_token}`;
}

const uppy = new Uppy({ autoProceed: true, restrictions: { maxNumberOfFiles: 10, maxFileSize: 25_000_000, maxTotalFileSize: 100_000_000 } });
uppy.use(Tus, {
  endpoint: `${service}/uploads`,
  removeFingerprintOnSuccess: true,
  onBeforeRequest: async (request) => { request.setHeader("Authorization", await authorization()); },
  // Without this, the client begins anew where the service is away for a moment when it asks how much has come.
  onAfterResponse: (request, response) => {
    if (request.getMethod() === "HEAD" && response.getStatus() >= 500) throw new Error("The service is away.");
  },
});
uppy.on("restriction-failed", (file, error) => say(error.message));
uppy.on("upload-error", (file, error) => say(`${file.name}: ${error.message}`));
uppy.on("upload-success", (file, { uploadURL }) => checked(file, uploadURL.split("/").pop()).catch((refusal) => say(refusal.message)));
for (const name of ["file-added", "file-removed", "upload-progress", "upload-success"]) uppy.on(name, list);

// What has come is checked. A program, for instance, is refused.
async function checked(file, id) {
  for (;;) {
    const found = await call("GET", `/uploads/${id}`);
    if (found.state === "refused") { say(`${file.name}: ${found.detail}`); uppy.removeFile(file.id); }
    if (found.state !== "checking") return;
    await new Promise((done) => { setTimeout(done, 1000); });
  }
}

function list() {
  find("#list").replaceChildren(...uppy.getFiles().map((file) => {
    const item = document.createElement("li");
    item.textContent = `${file.name}: ${file.progress.uploadComplete ? "sudah sampai" : `${file.progress.percentage ?? 0}%`} `;
    const drop = document.createElement("button");
    drop.type = "button";
    drop.textContent = `Buang ${file.name}`;
    // What has arrived and is not attached to a report is removed after a day.
    drop.addEventListener("click", () => uppy.removeFile(file.id));
    item.append(drop);
    return item;
  }));
}

find("#files").addEventListener("change", (event) => {
  for (const file of event.target.files) {
    try { uppy.addFile({ name: file.name, type: file.type, data: file }); } catch { /* restriction-failed has said why */ }
  }
  event.target.value = "";
});

const on = (selector, act) => find(selector).addEventListener("submit", async (event) => {
  event.preventDefault();
  try { await act(Object.fromEntries(new FormData(event.target)), event.target); } catch (refusal) { say(refusal.message); }
});

on("#log-in", async (account, form) => {
  session = null;
  session = await call("POST", "/sessions", account);
  form.reset();
  form.hidden = true;
  const { items } = await call("GET", "/categories");
  find("#topic").replaceChildren(...items.flatMap((category) => category.sub_categories.map(
    (sub) => new Option(`${category.name}: ${sub.name}`, `${category.key}/${sub.key}`),
  )));
  find("#report").hidden = false;
});

on("#report", async ({ topic, subject_line, text }, form) => {
  const unsent = uppy.getFiles().filter((file) => !file.progress.uploadComplete);
  if (unsent.length) { say("Masih ada berkas yang dikirim. Tunggu sampai selesai, atau buang."); return; }
  const [category, sub_category] = topic.split("/");
  const files = uppy.getFiles().map((file) => file.uploadURL.split("/").pop());
  const receipt = await call("POST", "/complaints", { category, sub_category, subject_line, text, files }, { "Idempotency-Key": key });
  key = crypto.randomUUID();
  uppy.clear();
  list();
  form.reset();
  // What is not listed here has not arrived.
  say(`${receipt.ticket}: ${receipt.files.map((file) => `${file.number} ${file.name}`).join(", ") || "tanpa bukti"}`);
});
