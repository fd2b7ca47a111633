// Adds people to a campaign in batches of 20, waits for Retry-After, and never resends a batch that may have been added.
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./alta.js";
import { people, type Prospect } from "./people.js";

const MOST_TRIES = 10;
const MOST_SECONDS = 300;

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const campaignId = setting("ALTA_CAMPAIGN_ID");
const alta = createClient<paths>({
  baseUrl: setting("ALTA_BASE_URL"),
  headers: { Authorization: `Bearer ${setting("ALTA_API_TOKEN")}` },
  redirect: "manual",
});

function secondsToWait(response: Response): number {
  const wait = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(wait) ? Number(wait) : 60;
}

async function add(batch: Prospect[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { error, response } = await alta.POST("/campaigns/{campaignId}/prospects", {
      params: { path: { campaignId } },
      body: { data: batch },
      parseAs: "text", // the contract does not describe the body of a 200
    });
    if (response.ok) return;
    const seconds = secondsToWait(response);
    if (response.status !== 429 || tries === MOST_TRIES || seconds > MOST_SECONDS) {
      throw new Error(`${response.status} ${JSON.stringify(error)}`);
    }
    await sleep(seconds * 1000);
  }
}

let added = 0;
try {
  for (; added < people.length; added += 20) await add(people.slice(added, added + 20));
  console.log(`${people.length} added`);
} catch (error) {
  console.error(`${added} of ${people.length} are certain;`, error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
