// What the page knows, and its requests to the control API.

export const ROWS = 200; // requests shown at a time; a button shows more

// Path that alta-mock is mounted below, base path of the API, path of the operation that adds prospects.
export const { mount, basePath = "", path: addPath = "" } = document.body.dataset;

/** @type {Record<string, any>} */
export const state = {
  key: sessionStorage.getItem("control-token"),
  paused: false,
  entries: [], // newest last
  findings: new Map(), // number of a request: names of findings
  newest: 0,
  oldest: 1,
  rows: ROWS,
  campaigns: [],
  quotas: [],
  waiting: [],
  tokens: [],
  clock: null, // { at: milliseconds of the fake, advanced: seconds, since: performance.now() }
  seen: "", // what the found objects depend on
  linked: true, // whether the address has just been followed
  skip: 0, // objects in front of the page of objects
  samples: Math.floor(Math.random() * 1000),
  ...fromAddress(),
};

export function fromAddress() {
  const query = new URLSearchParams(location.search);
  return {
    filter: query.get("filter") ?? "",
    campaign: query.get("campaign"),
    request: Number(query.get("request")) || null,
    operation: query.get("operation") ?? "",
    kind: query.get("kind") ?? "prospects",
    search: query.get("search") ?? "",
    object: query.get("object"),
  };
}

/** @param {Record<string, any>} changes */
export function addressOf(changes = {}) {
  const { filter, campaign, request, operation, kind, search, object } = { ...state, ...changes };
  const shown = { filter, campaign, request, operation, kind: kind === "prospects" ? "" : kind, search, object };
  return `?${new URLSearchParams(Object.entries(shown).filter(([, value]) => value))}`;
}

// What is typed replaces the address; what is chosen is a step of the browser's history.
export const toAddress = () => history.replaceState(null, "", addressOf());

export function visit() {
  if (addressOf() !== (location.search || "?")) history.pushState(null, "", addressOf());
}

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @type {(path: string, method?: string, body?: object) => Promise<any>} */
export async function ask(path, method = "GET", body = undefined) {
  const headers = new Headers();
  if (state.key) headers.set("Authorization", `Bearer ${state.key}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const silent = () => Promise.reject(new Refused(0, "The fake does not answer."));
  const reply = await fetch(`${mount}/_mock/${path}`, { method, headers, body: body && JSON.stringify(body) }).catch(silent);
  const value = await reply.json().catch(silent);
  if (!reply.ok) throw new Refused(reply.status, value.message);
  return value;
}
