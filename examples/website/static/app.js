import * as service from "./service.js";
import { WORDS } from "./words.js";

const find = (selector) => document.querySelector(selector);
let words = WORDS.id;
let key = crypto.randomUUID();
let writer = null;
let shown = null;
let said = () => "";

function speak(language) {
  words = WORDS[language];
  document.documentElement.lang = language;
  document.title = `${words.title} – ${words.site}`;
  document.querySelectorAll("[data-word]").forEach((element) => { element.textContent = words[element.dataset.word]; });
  document.querySelectorAll("[data-label]").forEach((element) => element.setAttribute("aria-label", words[element.dataset.label]));
  document.querySelectorAll("[data-language]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.language === language));
  document.querySelectorAll(".fault").forEach((fault) => { fault.textContent = sentence(fault.dataset.code); });
  find("#message").textContent = said();
  if (shown) show(shown);
}

// Each digit of a NIK or NIP that cannot be has a code of its own.
const sentence = (code) => words.fault[code] ?? (/^ni[kp]-/.test(code) ? words.noSuchNumber : words.otherFault);

// `text` is a function, so that the message can be said again in the other language.
function say(text) {
  said = text;
  find("#message").textContent = text();
  if (text()) find("#message").focus();
}

function clear(form) {
  form.querySelectorAll(".fault").forEach((fault) => fault.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => { field.removeAttribute("aria-invalid"); field.removeAttribute("aria-describedby"); });
}

// Marks the fields that the service names, and puts the focus on the first.
function mark(form, codes) {
  const named = Object.entries(codes).map(([name, faults]) => [
    form.elements[name] ?? (name.endsWith("category") ? form.elements.topic : undefined), [faults].flat()[0],
  ]);
  for (const [field, fault] of named) {
    if (!field || field.hasAttribute("aria-invalid")) continue;
    const note = document.createElement("p");
    note.className = "fault";
    note.id = `${field.id}-fault`;
    note.dataset.code = fault?.code ?? fault;
    note.textContent = sentence(note.dataset.code);
    field.before(note);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", note.id);
  }
  form.querySelector("[aria-invalid]")?.focus();
}

// Carries out what a form or a button asks for, once at a time, and says what is refused.
async function attempt(act, form) {
  if (form?.dataset.busy) return;
  if (form) { form.dataset.busy = "yes"; document.querySelectorAll("form").forEach(clear); }
  try {
    say(() => "");
    await act();
  } catch (refusal) {
    if (!(refusal instanceof service.Refusal)) throw refusal;
    if (refusal.status === 401 && form?.id !== "log-in") { service.forget(); enter(false); }
    say(() => ({
      0: words.away, 401: form?.id === "log-in" ? words.wrongLogIn : words.ended, 503: words.away,
      429: `${words.wait} ${refusal.wait}`,
    })[refusal.status] ?? (Object.keys(refusal.codes).length ? words.faulty : `${words.failed} ${refusal.request}`));
    if (form) mark(form, refusal.codes);
  } finally {
    if (form) delete form.dataset.busy;
  }
}

function enter(is) {
  for (const name of ["report", "mine", "leaving"]) find(`#${name}`).hidden = !is;
  find("#entry").hidden = is;
  if (is) return;
  shown = null;
  find("#one").hidden = true;
  for (const kept of ["#one-title", "#answer blockquote"]) find(kept).textContent = "";
  find("#list").replaceChildren();
}

function empty(form) {
  form.reset();
  clear(form);
}

// Several people may use one window: nobody finds what another typed. Whose log-in has ended finds the report again.
function forget(username) {
  for (const name of ["log-in", "register"]) empty(find(`#${name}`));
  if (username === writer) return;
  empty(find("#complaint"));
  key = crypto.randomUUID();
  writer = username;
}

async function open(username) {
  const groups = (await service.categories()).map((category) => {
    const group = document.createElement("optgroup");
    group.label = category.name;
    group.append(...category.sub_categories.map((sub) => new Option(sub.name, `${category.key}/${sub.key}`)));
    return group;
  });
  forget(username);
  const chosen = find("#sub_category").value;
  find("#sub_category").replaceChildren(new Option("", ""), ...groups);
  find("#sub_category").value = chosen;
  enter(true);
  find("#report-title").focus();
  await list();
}

async function list() {
  find("#list").replaceChildren(...(await service.own()).map((row) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${row.ticket}: ${row.subject_line}`;
    button.addEventListener("click", () => attempt(async () => { show(await service.read(row.ticket)); find("#one-title").focus(); }));
    item.append(button);
    return item;
  }));
}

function show(complaint) {
  shown = complaint;
  find("#one").hidden = false;
  find("#one-title").textContent = complaint.ticket;
  find("#state").textContent = words.state[complaint.stands.state] ?? complaint.stands.state;
  find("#answer").hidden = !complaint.answer?.text;
  find("#answer blockquote").textContent = complaint.answer?.text ?? "";
  find("#confirm").hidden = Boolean(complaint.answer?.confirmed_at);
  find("#confirmed").textContent = complaint.answer?.confirmed_at ? words.confirmed : "";
}

function on(selector, act) {
  const form = find(selector);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => act(Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== "")), form), form);
  });
}

on("#log-in", async ({ username, password }) => { await service.logIn(username, password); await open(username); });
on("#register", async (account) => {
  await service.register(account);
  await service.logIn(account.username, account.password);
  await open(account.username);
});
on("#complaint", async ({ topic = "/", confidential, ...report }, form) => {
  const [category, sub] = topic.split("/");
  const chosen = category ? { category, sub_category: sub } : {};
  try {
    const receipt = await service.submit({ ...report, ...chosen, confidential: Boolean(confidential) }, key);
    form.reset();
    say(() => `${words.sent} ${receipt.ticket}`);
  } catch (refusal) {
    // The response to an earlier attempt was lost, and the report was changed since.
    if (!refusal.type?.endsWith(":idempotency-key-reused")) throw refusal;
    say(() => `${words.sentBefore} ${refusal.ticket}`);
  }
  key = crypto.randomUUID();
  await list();
});
find("#refresh").addEventListener("click", () => attempt(async () => { await list(); if (shown) show(await service.read(shown.ticket)); }));
find("#confirm").addEventListener("click", () => attempt(async () => {
  await service.confirm(shown.ticket);
  show(await service.read(shown.ticket));
}));
find("#log-out").addEventListener("click", () => attempt(async () => { try { await service.logOut(); } finally { enter(false); forget(null); } }));
document.querySelectorAll("[data-language]").forEach((button) => button.addEventListener("click", () => speak(button.dataset.language)));
speak("id");
