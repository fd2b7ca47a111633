// A correct consumer in Node, without a dependency: batches of 20, waits as told, stops when nothing can succeed,
// never sends a batch again that may have been added, and says at the end what is certain.
//
//   alta-mock exec --consumer --expect people.json -- node add.mjs people.json
import { readFileSync } from "node:fs";

const { ALTA_BASE_URL, ALTA_API_TOKEN, ALTA_CAMPAIGN_ID } = process.env;
const people = JSON.parse(readFileSync(process.argv[2], "utf8"));
const url = `${ALTA_BASE_URL}/campaigns/${ALTA_CAMPAIGN_ID}/prospects`;
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

function secondsToWait(headers, tries) {
  const told = headers.get("retry-after") ?? "";
  if (/^\d+$/.test(told)) return Number(told);
  const until = Date.parse(told);
  if (Number.isNaN(until)) return Math.min(60, 2 ** tries);
  return Math.max(0, (until - (Date.parse(headers.get("date")) || Date.now())) / 1000);
}

async function add(batch) {
  for (let tries = 0; tries < 10; tries++) {
    const reply = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: { Authorization: `Bearer ${ALTA_API_TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify({ data: batch }),
    });
    await reply.arrayBuffer(); // whatever it is: the status says it all
    if (reply.ok) return;
    if (reply.status !== 429) throw new Error(`the answer was ${reply.status}`);
    await sleep(secondsToWait(reply.headers, tries));
  }
  throw new Error("refused ten times in a row");
}

let added = 0;
try {
  for (; added < people.length; added += 20) await add(people.slice(added, added + 20));
} catch (error) {
  console.error(`${added} of ${people.length} are certain: ${error.cause?.code ?? error.message}`);
  process.exitCode = 1;
}
