// A consumer that sends 21 prospects: `alta-mock exec --strict -- node too_many.mjs` fails.
const { ALTA_BASE_URL, ALTA_API_TOKEN, ALTA_CAMPAIGN_ID } = process.env;
const data = Array.from({ length: 21 }, (_, n) => ({ email: `person${n}@example.com` }));

const reply = await fetch(`${ALTA_BASE_URL}/campaigns/${ALTA_CAMPAIGN_ID}/prospects`, {
  method: "POST",
  headers: { Authorization: `Bearer ${ALTA_API_TOKEN}`, "Content-Type": "application/json" },
  body: JSON.stringify({ data }),
});
console.log(reply.status, await reply.text());
