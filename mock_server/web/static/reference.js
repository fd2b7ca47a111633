// The API reference: Swagger UI on the effective contract, a seeded token and campaign filled in.
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
  for (const operations of Object.values(document_.paths)) {
    for (const { parameters = [] } of [operations, ...Object.values(operations)]) {
      for (const parameter of parameters) {
        if (parameter.name === "campaignId" && campaign) parameter.example = campaign.id;
      }
    }
  }
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

async function get(path) {
  const reply = await fetch(document.body.dataset.mount + path, { headers: key ? { Authorization: `Bearer ${key}` } : {} });
  return reply.ok ? reply.json() : null;
}
