// The integration of whole_integration.py in Node, without dependencies: find, add, read back, opt out, react to a reply.
//
//   node whole.mjs "Q3 outreach" 120
//
// It waits for Retry-After, reads again after a failure, never resends a write that may have been carried out, and reads each
// list to the page whose hasMore is false.
const { ALTA_BASE_URL, ALTA_API_TOKEN } = process.env;
const [name, looks] = process.argv.slice(2);
const people = Array.from({ length: 250 }, (_, number) => ({ email: `person.${number}@example.com`, firstName: "Ada" }));
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

function secondsToWait(headers, tries) {
  const wait = headers.get("retry-after") ?? "";
  if (/^\d+$/.test(wait)) return Number(wait);
  const until = Date.parse(wait);
  if (Number.isNaN(until)) return Math.min(60, 2 ** tries);
  return Math.max(0, (until - (Date.parse(headers.get("date")) || Date.now())) / 1000);
}

async function send(method, path, body) {
  const headers = { Authorization: `Bearer ${ALTA_API_TOKEN}`, ...(body && { "Content-Type": "application/json" }) };
  for (let tries = 0; ; tries++) {
    const reply = await fetch(ALTA_BASE_URL + path, { method, headers, body: body && JSON.stringify(body), redirect: "manual" })
      .catch((error) => ({ status: 0, error, headers: new Headers() }));
    if (reply.ok) return method === "GET" ? reply.json() : reply.arrayBuffer(); // no body of a write is documented
    const mayRepeat = reply.status === 429 || (method === "GET" && (reply.status === 0 || reply.status >= 500));
    if (!mayRepeat || tries === (reply.status === 429 ? 9 : 3)) throw new Error(`${method} ${path}: ${reply.status || reply.error}`);
    await sleep(secondsToWait(reply.headers, tries));
  }
}

async function* list(path, filters = {}) {
  let query = new URLSearchParams({ limit: 100, ...filters });
  while (query) {
    const page = await send("GET", `${path}?${query}`);
    yield* page.data;
    query = page.hasMore ? new URLSearchParams({ cursor: page.next }) : null;
  }
}

async function find() {
  for await (const campaign of list("/campaigns")) if (campaign.name === name) return campaign.id;
  throw new Error(`there is no campaign ${name}`);
}

async function firstReply(campaignId) {
  for (let look = 0; look < looks; look++) {
    if (look) await sleep(30);
    for await (const message of list("/inbox/email/messages", { campaignId, type: "received" })) return message.body;
  }
  return "no reply yet";
}

const campaignId = await find();
for (let start = 0; start < people.length; start += 20)
  await send("POST", `/campaigns/${campaignId}/prospects`, { data: people.slice(start, start + 20) });
let count = 0;
for await (const _ of list("/prospects", { campaignId })) count++;
console.log(`${count} prospects in ${campaignId}`);
const identifiers = people.slice(0, 2).map(({ email }) => ({ identifier: email, identifierType: "email" }));
await send("POST", "/dnc/communication-opt-outs", { identifiers });
console.log(`two opted out; the first reply: ${await firstReply(campaignId)}`);
