// A correct consumer in Node, without dependencies: it sends batches of 20, waits for Retry-After, stops at permanent errors,
// never resends a batch that may have been added, and reports how many prospects were certainly added.
//
//   alta-mock exec --consumer --expect people.json -- node add.mjs people.json
import { readFileSync } from "node:fs";

const { ALTA_BASE_URL, ALTA_API_TOKEN, ALTA_CAMPAIGN_ID } = process.env;
const people = JSON.parse(readFileSync(process.argv[2], "utf8"));
const url = `${ALTA_BASE_URL}/campaigns/${ALTA_CAMPAIGN_ID}/prospects`;
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

function secondsToWait(headers, tries) {
  const wait = headers.get("retry-after") ?? "";
  if (/^\d+$/.test(wait)) return Number(wait);
  const until = Date.parse(wait);
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
    await reply.arrayBuffer(); // the body does not matter, only the status
    if (reply.ok) return;
    if (reply.status !== 429) throw new Error(`the response was ${reply.status}`);
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
