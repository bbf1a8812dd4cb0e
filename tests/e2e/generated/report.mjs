// Registers a reporter, submits a complaint twice with one key, and reads it, by the client that was generated.
// In: the service's address, and {registration, complaint} as JSON. Out: the receipts and the complaint as JSON.
import { Api } from "./client.js";

const [baseUrl, given] = process.argv.slice(2);
const { registration, complaint } = JSON.parse(given);
const client = new Api({
  baseUrl,
  securityWorker: (token) => (token ? { headers: { Authorization: `Bearer ${token}` } } : {}),
});

await client.api.accountsRegister(registration);
const { username, password } = registration;
const { data: session } = await client.api.accountsLogIn({ username, password });
client.setSecurityData(session.access_token);

const once = { headers: { "Idempotency-Key": "generated-client" } };
const receipts = [];
for (let time = 0; time < 2; time += 1) {
  receipts.push((await client.api.complaintsSubmit(complaint, once)).data);
}
const { data: known } = await client.api.complaintsRead(receipts[0].ticket);
const refusal = await client.api.complaintsSubmit({}).catch((response) => response.error);
console.log(JSON.stringify({ receipts, known, refusal }));
