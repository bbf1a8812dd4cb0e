// The calls of the complaint service. The tokens stay in this module's memory: they are gone when the page is left.
const address = document.querySelector("meta[name=service]").content;
let session = null;

// What the service refuses, or that it could not be reached (status 0).
export class Refusal extends Error {
  constructor(status, problem, headers) {
    super(problem.title);
    this.status = status;
    this.type = problem.type ?? "";
    this.ticket = problem.ticket;
    this.codes = problem.codes ?? {};
    this.wait = headers?.get("Retry-After");
    this.request = headers?.get("X-Request-ID");
  }
}

async function send(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(`${address}/api/v1${path}`, {
      method,
      credentials: "omit",
      headers: {
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(session ? { Authorization: `Bearer ${session.access_token}` } : {}),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, { title: "unreachable" });
  }
  const content = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, content, response.headers);
  return content;
}

// The same. An access token lasts 15 minutes, and whoever writes a report may need longer: then it is renewed.
async function call(...request) {
  try {
    return await send(...request);
  } catch (refusal) {
    if (refusal.status !== 401 || !session) throw refusal;
    const { refresh_token } = session;
    session = { ...await send("POST", "/sessions/current/renewal", { refresh_token }), refresh_token };
    return send(...request);
  }
}

export const register = (account) => call("POST", "/reporters", account);
export const logIn = async (username, password) => {
  session = null;
  session = await call("POST", "/sessions", { username, password });
};
export const logOut = async () => {
  try { await call("DELETE", "/sessions/current"); } finally { session = null; }
};
export const forget = () => { session = null; };
export const categories = async () => (await call("GET", "/categories")).items;
// The same key for the same report: sent twice, it is accepted once.
export const submit = (report, key) => call("POST", "/complaints", report, { "Idempotency-Key": key });
export const own = async () => (await call("GET", "/complaints")).items;
export const read = (ticket) => call("GET", `/complaints/${encodeURIComponent(ticket)}`);
export const confirm = (ticket) => call("POST", `/complaints/${encodeURIComponent(ticket)}/receipt`);
