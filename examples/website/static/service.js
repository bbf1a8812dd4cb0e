// The calls of the complaint service. The access token stays in this module's memory: it is gone when the page is left.
const address = document.querySelector("meta[name=service]").content;
let token = null;

// What the service refuses, or that it could not be reached (status 0).
export class Refusal extends Error {
  constructor(status, problem, headers) {
    super(problem.title);
    this.status = status;
    this.codes = problem.codes ?? {};
    this.wait = headers?.get("Retry-After");
    this.request = headers?.get("X-Request-ID");
  }
}

async function call(method, path, body, headers = {}) {
  let response;
  try {
    response = await fetch(`${address}/api/v1${path}`, {
      method,
      credentials: "omit",
      headers: {
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
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

export const register = (account) => call("POST", "/reporters", account);
export const logIn = async (username, password) => {
  token = (await call("POST", "/sessions", { username, password })).access_token;
};
export const logOut = async () => {
  try { await call("DELETE", "/sessions/current"); } finally { token = null; }
};
export const forget = () => { token = null; };
export const categories = async () => (await call("GET", "/categories")).items;
// The same key for the same report: sent twice, it is accepted once.
export const submit = (report, key) => call("POST", "/complaints", report, { "Idempotency-Key": key });
export const own = async () => (await call("GET", "/complaints")).items;
export const read = (ticket) => call("GET", `/complaints/${encodeURIComponent(ticket)}`);
export const confirm = (ticket) => call("POST", `/complaints/${encodeURIComponent(ticket)}/receipt`);
