// The API reference: Swagger UI on the effective contract, a seeded token and ids filled in.
"use strict";

const key = sessionStorage.getItem("control-token");

const notice = /** @type {HTMLElement} */ (document.getElementById("notice"));

window.addEventListener("DOMContentLoaded", async () => {
  const [document_, tokens, campaigns] = await Promise.all([
    get("/openapi.json"),
    get("/_mock/tokens"),
    get("/_mock/campaigns"),
  ]);
  const token = tokens?.data.find((one) => one.mayAdd && one.accounts.length === 1);
  const campaign = campaigns?.data.find((one) => one.account === token?.accounts[0] && one.answer === null);
  if (token) await fillIn(document_, { campaignId: campaign?.id }, token.accounts[0]);
  const ui = /** @type {any} */ (window).SwaggerUIBundle({
    spec: document_,
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null, // the public validator is another host
    onComplete: () => {
      if (!token) {
        const text = tokens ? "No token of the seed may add prospects." : "Give the control token to the live page first, to have a token filled in.";
        notice.textContent = text;
        return;
      }
      for (const scheme of Object.keys(document_.components.securitySchemes)) {
        ui.preauthorizeApiKey(scheme, token.token);
      }
      notice.textContent = `Filled in: the token of ${token.user} (${token.note}).`;
    },
  });
});

// Gives the path parameters an id that the account has: a given one, else that of the newest object of the kind, if any.
async function fillIn(document_, ids, account) {
  const items = Object.values(document_.paths);
  const parameters = [...items, ...items.flatMap(Object.values)].flatMap((one) => one.parameters ?? []);
  const inPaths = parameters.filter((one) => one.in === "path");
  const ask = async (name) => {
    const kind = name.replace(/Id$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const objects = await get(`/_mock/objects/${kind}?last=1&account=${account}`);
    ids[name] = objects?.data[0]?.id;
  };
  const names = new Set(inPaths.map((one) => one.name));
  await Promise.all([...names].filter((name) => !(name in ids)).map(ask));
  for (const parameter of inPaths) parameter.example = ids[parameter.name] ?? parameter.example;
}

async function get(path) {
  const reply = await fetch(document.body.dataset.mount + path, { headers: key ? { Authorization: `Bearer ${key}` } : {} });
  return reply.ok ? reply.json() : null;
}
