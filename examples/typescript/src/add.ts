// Adds people to a campaign in batches of 20, waits for Retry-After, and never resends a batch that may have been added.
import { alta, sent, setting } from "./client.js";
import { people, type Prospect } from "./people.js";

const campaignId = setting("ALTA_CAMPAIGN_ID");

async function add(batch: Prospect[]): Promise<void> {
  await sent(() =>
    alta.POST("/campaigns/{campaignId}/prospects", {
      params: { path: { campaignId } },
      body: { data: batch },
      parseAs: "text", // the contract does not describe the body of a 200
    }),
  );
}

let added = 0;
try {
  for (; added < people.length; added += 20) await add(people.slice(added, added + 20));
  console.log(`${people.length} added`);
} catch (error) {
  console.error(`${added} of ${people.length} are certain;`, error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
