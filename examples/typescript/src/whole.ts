// Runs a campaign from its name to the first reply: node build/whole.js "Q3 outreach"
import { setTimeout as sleep } from "node:timers/promises";
import { alta, pages, sent } from "./client.js";
import type { Prospect } from "./people.js";

const people: Prospect[] = Array.from({ length: 250 }, (_, number) => ({ email: `person.${number}@example.com` }));

async function find(name: string): Promise<string> {
  for await (const campaign of pages({ limit: 5 }, (query) => alta.GET("/campaigns", { params: { query } }))) {
    if (campaign.name === name) return campaign.id;
  }
  throw new Error(`there is no campaign ${name}`);
}

async function add(campaignId: string): Promise<void> {
  for (let start = 0; start < people.length; start += 20) {
    const data = people.slice(start, start + 20);
    const params = { path: { campaignId } };
    await sent(() => alta.POST("/campaigns/{campaignId}/prospects", { params, body: { data }, parseAs: "text" }));
  }
}

async function count(campaignId: string): Promise<number> {
  const filters = { limit: 100, campaignId };
  const ids = new Set<string>();
  for await (const { id } of pages(filters, (query) => alta.GET("/prospects", { params: { query } }))) ids.add(id);
  return ids.size;
}

async function optOut(addresses: string[]): Promise<void> {
  const identifiers = addresses.map((identifier) => ({ identifier, identifierType: "email" as const }));
  const body = { identifiers, pauseActiveProspectWorkflows: true };
  await sent(() => alta.POST("/dnc/communication-opt-outs", { body, parseAs: "text" }));
}

async function firstReply(campaignId: string): Promise<string> {
  for (;;) {
    const filters = { limit: 100, campaignId };
    for await (const message of pages(filters, (query) => alta.GET("/inbox/email/messages", { params: { query } }))) {
      if (message.type === "received") return message.body;
    }
    await sleep(30_000);
  }
}

const campaignId = await find(process.argv[2] ?? "Q3 outreach");
await add(campaignId);
console.log(`${await count(campaignId)} prospects in ${campaignId}`);
await optOut(["person.0@example.com", "person.1@example.com"]);
console.log(`two opted out; the first reply: ${await firstReply(campaignId)}`);
