// The live page: requests the state from the control API once a second, and shows it.
//
// Rule 1: whatever comes from the mock becomes text, never markup; the browser enforces it by the page's policy.
// Rule 2: `state` is what is known; functions named `show…` render it.
// Rule 3: a refusal by the mock is a `Refused`, and is shown; every other error is a bug, and is not caught.

import { showAssumptions } from "./assumptions.js";
import { ROWS, Refused, addPath, addressOf, ask, basePath, fromAddress, state, toAddress, visit } from "./control.js";
import { $, bdi, el, figure, keyed, plural, setText } from "./elements.js";
import { PAGE, showObjects } from "./objects.js";

const LOOK_EVERY = 1000; // milliseconds
const NOTICE = 8000; // milliseconds that a notice stays

/** @type {Promise<any> | null} */
export let looking = null; // the update in progress: two at once would show things twice
let timer = 0;

export function look() {
  looking ??= lookOnce().finally(() => {
    looking = null;
    clearTimeout(timer);
    if (!state.paused && !document.hidden) timer = setTimeout(look, LOOK_EVERY);
  });
  return looking;
}

async function lookOnce() {
  try {
    const asked = ["campaigns", "limits", "next", "clock", `requests?brief=true&after=${state.newest}`];
    let [campaigns, limits, next, clock, requests] = await Promise.all(asked.map((path) => ask(path)));
    state.server ??= requests.server;
    if (requests.server !== state.server) return location.reload(); // another server answers at this address now
    if (requests.cleared !== (state.cleared ?? requests.cleared)) {
      Object.assign(state, { entries: [], findings: new Map(), newest: 0, oldest: 1 });
      forgetRequest();
      requests = await ask("requests?brief=true&after=0");
    }
    state.campaigns = campaigns.data;
    state.quotas = limits.data.map((one) => ({ ...one, since: performance.now() }));
    state.waiting = next.data;
    state.clock = { at: Date.parse(clock.time), advanced: clock.advanced, since: performance.now() };
    takeRequests(requests);
    if ($("open-questions").open) await showAssumptions(assume);
    if (!state.tokens.length) state.tokens = (await ask("tokens")).data;
    if (!state.campaigns.some((one) => one.id === state.campaign)) state.campaign = state.campaigns[0]?.id;
    $("key").hidden = true;
    if (passing) notice("");
    show();
    await showChosen();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const asks = error.status === 403;
    if (asks) $("key").hidden = false;
    notice(asks && state.key ? "This is not the control token." : error.message, "trouble", true);
  }
}

function takeRequests({ data, findings, oldest, newest, cleared }) {
  state.entries.push(...data);
  Object.assign(state, { newest, cleared });
  if (oldest > state.oldest) {
    state.entries = state.entries.filter((one) => one.number >= oldest);
    state.oldest = oldest;
    for (const number of state.findings.keys()) if (number < oldest) state.findings.delete(number);
    if (state.request !== null && state.request < oldest) forgetRequest();
  }
  for (const { name, requests } of findings) {
    const number = requests.at(-1);
    const names = state.findings.get(number) ?? [];
    if (!names.includes(name)) state.findings.set(number, [...names, name]);
  }
  for (const one of data) one.words = words(one);
}

async function act(what, done = "") {
  try {
    await what();
    notice(done);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message, "trouble");
  }
  state.seen = "";
  await lookAgain();
}

async function lookAgain() {
  await looking; // an update that began before
  await look();
}

let passing = false; // whether the next successful update removes the notice
let noticed = 0; // its timer

function notice(text, kind = "", passes = false) {
  setText($("notice"), text);
  $("notice").className = kind;
  passing = passes;
  clearTimeout(noticed);
  if (!passes) noticed = setTimeout(() => setText($("notice"), ""), NOTICE);
}

// --- Showing ----------------------------------------------------------------------------------------------------

function show() {
  showCampaigns();
  showQuotas();
  showWaiting();
  showRequests();
  showTime();
}

function showTime() {
  if (!state.clock) return;
  const now = new Date(state.clock.at + (state.paused ? 0 : performance.now() - state.clock.since));
  setText($("time"), `${now.toISOString().slice(11, 19)} UTC`);
  setText($("advanced"), state.clock.advanced ? `(+${figure(state.clock.advanced)} s)` : "");
}

const chosen = () => state.campaigns.find((one) => one.id === state.campaign);
const account = () => chosen()?.account;

function showQuotas() {
  const mine = state.quotas.filter((one) => one.account === account());
  setText($("quota-of"), account() ? `of ${account()}` : "");
  keyed($("quotas"), mine.length ? mine : [{ name: "none" }], (one) => one.name, makeQuota);
  for (const one of mine) {
    const box = [...$("quotas").children].find((child) => child.dataset.key === one.name);
    const total = Number.parseInt(one.limit, 10);
    const left = Math.max(0, Math.ceil(one.reset - (performance.now() - one.since) / 1000));
    const over = one.reset > 0 && left === 0; // the window has ended since the update
    const remaining = over ? total : one.remaining;
    const meter = box.querySelector("meter");
    if (meter.max !== total) meter.max = total;
    meter.low = total * 0.3;
    meter.optimum = total;
    meter.value = remaining;
    box.classList.toggle("spent", remaining === 0);
    setText(box.querySelector(".left"), `${remaining} of ${total} left`);
    setText(box.querySelector(".refill"), left ? `full again in ${left} s` : "");
  }
}

function makeQuota({ name, limit }) {
  if (name === "none") return el("p", { class: "note" }, "No limit is in force.");
  const title = name === "account" ? "All operations" : name;
  return el(
    "div",
    { class: "quota" },
    el("p", { class: "figures" }, el("strong", {}, title), " ", el("small", {}, limit)),
    el("meter", { min: 0, "aria-label": `${title}: quota left` }),
    el("p", { class: "figures" }, el("span", { class: "left" }), " ", el("span", { class: "refill" })),
  );
}

function showWaiting() {
  const texts = state.waiting.map((one) => `${one.status ?? one.fault.replaceAll("_", " ")} x ${one.times}${one.operation ? ` for ${one.operation}` : ""}`);
  setText($("waiting"), texts.length ? `Waiting: ${texts.join(", ")}` : "");
  $("forget").hidden = !texts.length;
}

function showCampaigns() {
  const keyOf = (one) => one.id;
  keyed($("campaigns"), state.campaigns, keyOf, (one) => {
    const bound = one.answer ? `always ${one.answer}` : `${one.status}${one.isArchived ? ", archived" : ""}`;
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", title: one.id, onclick: () => chooseCampaign(one.id) },
        el("span", { class: "name" }, one.name),
        el("small", {}, `${one.account}, ${bound}`),
        el("span", { class: "tally" }),
      ),
    );
  });
  for (const [index, one] of state.campaigns.entries()) {
    const button = $("campaigns").children[index].firstChild;
    setText(button.querySelector(".tally"), one.prospects ? figure(one.prospects) : "");
    button.setAttribute("aria-pressed", String(one.id === state.campaign));
  }
}

function chooseCampaign(id) {
  Object.assign(state, { campaign: id, request: null }); // a request is shown in the place of the prospects
  chooseKind("prospects");
  showRequest();
  show();
}

function chooseKind(kind) {
  Object.assign(state, { kind, search: "", object: null });
  $("kind").value = kind;
  $("search").value = "";
  visit();
  showPage(0);
}

function showPage(skip) {
  Object.assign(state, { skip, seen: "" });
  $("objects").scrollTop = 0;
  lookAgain();
}

async function showChosen() {
  const campaign = chosen();
  $("sample").disabled = $("mistake").disabled = !canSend();
  if (!campaign) return setText($("prospects-note"), "The seed has no campaign.");
  $("send-title").replaceChildren("Send to ", bdi(campaign.name));
  setText($("exports"), exportsFor(campaign, tokenFor(campaign.account)));
  setText($("curl"), curlFor(campaign, tokenFor(campaign.account)));
  await showObjects(campaign, { act, lookAgain });
}

function tokenFor(wanted) {
  const able = state.tokens.filter((one) => one.mayAdd && one.accounts.includes(wanted));
  return able.find((one) => one.accounts.length === 1) ?? able[0];
}

const canSend = () => Boolean(addPath && chosen() && tokenFor(account()));

function exportsFor(campaign, token) {
  const values = { ALTA_BASE_URL: location.origin + basePath, ALTA_API_TOKEN: token?.token ?? "", ALTA_CAMPAIGN_ID: campaign.id };
  return Object.entries(values).map(([name, value]) => `export ${name}=${value}`).join("\n");
}

function curlFor(campaign, token) {
  if (!token) return "";
  const headers = Object.entries(headersFor(campaign, token)).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const body = JSON.stringify({ data: [{ email: "ada@example.com" }] });
  return [`curl -i ${location.origin}${urlFor(campaign)}`, ...headers, `-d ${quoted(body)}`].join(" \\\n  ");
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const urlFor = (campaign) => basePath + addPath.replace("{campaignId}", campaign.id);

function headersFor(campaign, { token, accounts }) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return accounts.length > 1 ? { ...headers, "x-account-id": campaign.account } : headers;
}

// --- Requests ---------------------------------------------------------------------------------------------------

function words(one) {
  const family = `${String(one.status)[0]}xx`;
  const names = [one.number, one.method, one.path, one.status, family, one.operation, one.account, one.user, one.rule];
  return [...names, one.injected ? `injected ${one.injected}` : "", one.lost ? "response lost" : ""].join(" ").toLowerCase();
}

function matching() {
  const wanted = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const entries = state.operation ? state.entries.filter((one) => one.operation === state.operation) : state.entries;
  if (!wanted.length) return entries;
  return entries.filter((one) => {
    const all = `${one.words} ${(state.findings.get(one.number) ?? []).join(" ")}`;
    return wanted.every((word) => all.includes(word));
  });
}

function showRequests() {
  const found = matching();
  const shown = found.slice(-state.rows).reverse();
  const all = state.entries.length;
  setText($("count"), found.length === all ? figure(all) : `${figure(found.length)} of ${figure(all)}`);
  keyed($("requests").tBodies[0], shown, (one) => `${one.number} ${state.cleared} ${state.findings.get(one.number) ?? ""}`, makeRow);
  for (const row of $("requests").tBodies[0].rows) {
    const open = Number.parseInt(row.dataset.key, 10) === state.request;
    row.classList.toggle("chosen", open);
    const link = row.querySelector("a");
    link.ariaCurrent = String(open);
    link.href = addressOf({ request: link.textContent });
  }
  $("more").hidden = shown.length === found.length;
  const none = all
    ? state.filter ? "None of the requests has all of these words." : "No request of this operation."
    : canSend() ? "" : "None yet.";
  setText($("requests-note"), found.length ? "" : none);
  $("rows").hidden = !found.length;
  $("steps").hidden = all > 0 || !canSend();
  $("until-429").hidden = !state.quotas.length;
}

function makeRow(one) {
  const batch = one.records === null ? "" : plural(one.records, "prospect");
  const notes = [one.rule, ...(state.findings.get(one.number) ?? []), one.injected && `injected ${one.injected}`].filter(Boolean);
  return el(
    "tr",
    { onclick: opens(one.number) },
    el("td", {}, el("a", {}, String(one.number))),
    el("td", { class: "time" }, one.time.slice(11, 19)),
    el("td", {}, statusOf(one)),
    el("td", {}, el("span", { class: one.operation ? "what" : "what path" }, one.operation ?? bdi(`${one.method} ${one.path}`)), " ", el("small", {}, [batch, one.account].filter(Boolean).join(", "))),
    el("td", {}, notes.map((name) => [el("span", { class: "tag" }, name), " "])),
  );
}

const opens = (number) => (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !getSelection()?.isCollapsed) return; // the browser's
  event.preventDefault();
  chooseRequest(number);
};

// Never by colour alone: there is a sign beside the number.
function statusOf({ status: code, lost }) {
  const kind = code === 429 || code >= 500 || lost ? "later" : code < 400 ? "fine" : "refused";
  const sign = lost ? "⚡" : { fine: "✓", later: "↻", refused: "✕" }[kind];
  return el("span", { class: `status ${kind}` }, el("span", { "aria-hidden": "true" }, sign), lost ? " response lost" : ` ${code}`);
}

async function chooseRequest(number) {
  state.request = number;
  visit();
  await showRequest();
}

function forgetRequest() {
  state.request = null;
  toAddress();
  showRequest();
}

async function showRequest() {
  const number = state.request;
  showRequests();
  const place = $("request");
  if (number === null) {
    place.hidden = true;
    return;
  }
  const shown = await ask(`requests/${number}`).then(makeRequest, (error) => {
    if (!(error instanceof Refused)) throw error;
    return [closer(), el("h2", { id: "request-title" }, `Request ${number}`), el("p", {}, error.message)];
  });
  if (state.request !== number) return; // another request was chosen meanwhile, or none
  place.replaceChildren(...shown);
  place.hidden = false;
  place.scrollTop = 0;
  $("requests").querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  if (document.activeElement?.closest("#requests") || !document.activeElement?.matches("input")) place.focus({ preventScroll: true });
  if (matchMedia("(max-width: 720px)").matches) place.scrollIntoView({ block: "start" });
}

const closer = () => el("button", { type: "button", class: "close", title: "Close [Esc]", onclick: () => closeRequest() }, "Close");

function closeRequest() {
  const link = $("requests").querySelector("tr.chosen a");
  chooseRequest(null);
  link?.focus();
}

function makeRequest(one) {
  const query = one.query ? `?${one.query}` : "";
  const facts = [one.time.replace("T", " ").slice(0, 19), one.operation, [one.user, one.account].filter(Boolean).join(" of ")];
  const elsewhere = one.violations.filter((_, index) => !one.requestLines.some((line) => line.violations.includes(index)));
  return [
    closer(),
    el("h2", { id: "request-title" }, `Request ${one.number} `, statusOf(one), one.injected ? el("small", {}, ` injected: ${one.injected}`) : null),
    el("p", { class: "line" }, el("code", {}, `${one.method} ${one.path}${query}`)),
    el("p", { class: "note" }, facts.filter(Boolean).join(" · ")),
    one.findings.map((found) => el("p", { class: "finding" }, el("span", { class: "tag" }, found.name), " ", bdi(found.text), " (request ", found.requests.map(linkTo), ")")),
    elsewhere.map(makeViolation),
    el(
      "p",
      { class: "chips" },
      "Copy as ",
      Object.entries(one.copies).map(([name, text]) => el("button", { type: "button", "data-copy": name, onclick: () => copy(text, name) }, name)),
    ),
    el("h3", {}, "Sent"),
    headers(one.requestHeaders),
    lines("Request body", one.requestLines, one.violations, one.bodyKept ? "No body." : "A body that was too large to be kept."),
    el("h3", {}, "Answered ", statusOf(one)),
    one.lost ? el("p", { class: "note" }, `No complete response arrived. It would have been a ${one.status}:`) : null,
    headers(one.responseHeaders),
    lines("Response body", one.responseLines),
  ].flat().filter(Boolean);
}

const linkTo = (number, index) => [index ? ", " : "", el("a", { href: addressOf({ request: number }), onclick: opens(number) }, String(number))];

function makeViolation(one) {
  return el(
    "div",
    { class: "violation" },
    el("p", {}, el("strong", {}, `✕ ${one.rule}`), " ", bdi(one.place === "body" ? one.pointer : one.place + one.pointer), ": got ", bdi(one.got), `; wanted ${one.wanted}`),
    el("p", { class: "note" }, `${one.fix[0].toUpperCase()}${one.fix.slice(1)}. `, one.line ? el("code", {}, one.line) : null),
  );
}

function headers(pairs) {
  return el(
    "details",
    {},
    el("summary", {}, plural(pairs.length, "header")),
    el("dl", {}, pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
  );
}

function lines(label, all, violations = [], none = "No body.") {
  if (!all.length) return el("p", { class: "note" }, none);
  const made = all.map((line) => [
    el("code", { class: line.violations.length ? "wrong" : null }, `${"  ".repeat(line.indent)}${line.text}\n`),
    line.violations.map((index) => makeViolation(violations[index])),
  ]);
  return el("div", { class: "body", tabindex: "0", role: "region", "aria-label": label }, made);
}

async function copy(text, name) {
  const written = navigator.clipboard?.writeText(text).then(() => true, () => false); // only on secure origins
  if (await written) return notice(`Copied as ${name}.`);
  $("text-title").textContent = `Copy it yourself: ${name}`;
  const area = $("text").querySelector("textarea");
  area.value = text;
  $("text").showModal();
  area.select();
}

// --- Samples ----------------------------------------------------------------------------------------------------

const FIRST = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tim", "Katherine", "Dennis", "Hedy"];
const LAST = ["Moreau", "Okafor", "Lindqvist", "Tanaka", "Alvarez", "Novak", "Haddad", "Kowalski", "Brandt"];
const COMPANY = ["Northwind", "Blue Harbor", "Quercus", "Lumen & Co", "Polar Freight"];
const TITLE = ["Head of Sales", "CTO", "Buyer", "Founder"];

function sample() {
  const number = state.samples++;
  const pick = (list) => list[number % list.length];
  const [firstName, lastName, company] = [pick(FIRST), pick(LAST), pick(COMPANY)];
  const email = `${firstName}.${lastName}.${number}@example.com`.toLowerCase();
  return { firstName, lastName, company, jobTitle: pick(TITLE), email };
}

const addSamples = () => add(Array.from({ length: 5 }, sample));

async function add(records) {
  const campaign = chosen();
  const token = campaign && tokenFor(campaign.account);
  if (!token) return;
  const id = `${performance.timeOrigin} ${state.samples}`;
  const headers = { ...headersFor(campaign, token), "X-Alta-Mock-Sample": id };
  await act(async () => {
    const reply = await whole(fetch(urlFor(campaign), { method: "POST", headers, body: JSON.stringify({ data: records }) }));
    if (reply.ok) return;
    const wait = reply.headers.get("Retry-After");
    const [rule] = (reply.headers.get("X-Alta-Mock-Why") ?? reply.statusText).split(": ");
    const why = wait ? `try again in ${wait} s` : `${rule}; open the request to see more`;
    throw new Refused(reply.status, `Answered ${reply.status}: ${why}.`);
  }, `${plural(records.length, "prospect")} added.`);
  const added = state.entries.filter((one) => one.sample === id && one.status < 400);
  if (added.length > 1) notice(`${plural(added.length * records.length, "prospect")} added: the browser repeated the request.`);
}

// Wait for a complete response, which may not arrive.
async function whole(fetched) {
  const lost = () => Promise.reject(new Refused(0, "No complete response: the connection was lost."));
  const reply = await fetched.catch(lost);
  await reply.text().catch(lost);
  return reply;
}

// --- User actions -------------------------------------------------------------------------------------------

const advance = () => act(() => ask("clock/advance", "POST", { seconds: 60 }), "The clock is a minute ahead.");

const assume = (id, choice) => act(() => ask("assume", "POST", { [id]: choice }), `Assumed: ${id} ${choice}.`);

async function start() {
  fillFields();
  await lookAgain();
  await showRequest();
}

function fillFields() {
  for (const id of ["kind", "operation"]) {
    if ([...$(id).options].some((one) => one.value === state[id])) $(id).value = state[id];
    state[id] = $(id).value; // an unknown one in the address is left out
  }
  $("filter").value = state.filter;
  $("search").value = state.search;
}

function pause() {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", String(state.paused));
  setText($("pause"), state.paused ? "Paused: go on" : "Pause");
  clearTimeout(timer);
  if (!state.paused) look();
}

/** @param {Record<string, any>} changes */
function filter(changes) {
  Object.assign(state, changes, { rows: ROWS });
  toAddress();
  showRequests();
}

function clearFilter(event) {
  event.preventDefault(); // some browsers clear the field
  $("filter").value = "";
  filter({ filter: "" });
}

function step(by) {
  const links = [...$("requests").querySelectorAll("tbody a")];
  const at = links.indexOf(document.activeElement);
  const opened = links.findIndex((link) => link.closest("tr").classList.contains("chosen"));
  const from = at >= 0 ? at : opened;
  links[Math.min(Math.max(from + by, 0), links.length - 1)]?.focus();
}

const KEYS = {
  "/": () => $("filter").focus(),
  j: () => step(1),
  k: () => step(-1),
  a: addSamples,
  t: advance,
  p: pause,
};

document.addEventListener("keydown", (/** @type {any} */ event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("text").open) return;
  if (event.key === "Escape" && event.target === $("filter") && state.filter) return clearFilter(event);
  if (event.key === "Escape" && state.request !== null) return closeRequest();
  if (event.repeat && !"jk".includes(event.key)) return; // a held key acts once
  if (event.target.matches("input, select, textarea") || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

$("advance").addEventListener("click", advance);
$("pause").addEventListener("click", pause);
$("reset").addEventListener("click", () => {
  forgetRequest();
  act(() => ask("reset", "POST", {}), "Back to the seed.");
});
$("forget").addEventListener("click", () => {
  $("times").focus(); // this button disappears
  act(() => ask("next", "DELETE"));
});
$("open-questions").addEventListener("toggle", () => look());
$("har").addEventListener("click", (event) => {
  if (!state.key) return; // a link carries no token
  event.preventDefault();
  act(async () => {
    const har = new Blob([JSON.stringify(await ask("requests.har"))], { type: "application/json" });
    const file = el("a", { href: URL.createObjectURL(har), download: event.target.download });
    file.click();
    URL.revokeObjectURL(file.href);
  });
});
$("inject").addEventListener("click", ({ target }) => {
  const { status: code, fault } = target.dataset;
  if (!code && !fault) return;
  const times = Math.max(1, Math.trunc(Number($("times").value)) || 1);
  const operation = $("for").value || undefined;
  act(() => ask("next", "POST", { ...(code ? { status: Number(code) } : { fault }), times, operation }));
});
$("sample").addEventListener("click", addSamples);
$("mistake").addEventListener("click", () => add([sample(), { firstName: "Nobody", jobTitle: "without a contact" }]));
$("copy-exports").addEventListener("click", () => copy($("exports").textContent, "shell commands"));
$("copy-curl").addEventListener("click", () => copy($("curl").textContent, "curl"));
$("more").addEventListener("click", () => {
  state.rows += ROWS;
  showRequests();
});
$("filter").addEventListener("input", ({ target }) => filter({ filter: target.value }));
$("operation").addEventListener("change", ({ target }) => filter({ operation: target.value }));
$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  state.key = event.target.elements.token.value;
  sessionStorage.setItem("control-token", state.key);
  start();
});
$("kind").addEventListener("change", ({ target }) => chooseKind(target.value));
$("search").addEventListener("input", ({ target }) => {
  state.search = target.value.trim();
  toAddress();
  showPage(0);
});
for (const [id, by] of Object.entries({ newer: -PAGE, older: PAGE })) {
  $(id).addEventListener("click", () => {
    $("objects").focus(); // this button may disappear
    showPage(state.skip + by);
  });
}
document.addEventListener("visibilitychange", () => document.hidden || state.paused || look());
addEventListener("popstate", () => {
  Object.assign(state, fromAddress(), { skip: 0, seen: "", linked: true });
  start();
});

$("base-url").textContent = location.origin + basePath;
setInterval(() => {
  showTime();
  if (!state.paused) showQuotas();
}, 250);
start();
