// The browser of objects: those of one kind, newest first, which the control API searches and pages. One can be open.
import { addPath, ask, state, toAddress, visit } from "./control.js";
import { $, el, figure, isolated, keyed, plain, plural, setText } from "./elements.js";

export const PAGE = 100; // objects of a list at a time

const HEADS = {
  prospects: ({ person, record, status }) => human({ ...person, jobTitle: person?.title, ...record }, record, status === "paused" ? status : ""),
  persons: (one) => human({ ...one, jobTitle: one.title }),
  companies: (one) => [[one.name], [one.domain, ...(one.industries ?? [])], [one.city, one.country]],
  reps: (one) => [[one.name]],
  email_messages: (one) => [[one.subject], [one.from?.name ?? one.from?.email, one.type, one.status, ...(one.emailThread?.tags ?? [])], [one.body]],
  linkedin_messages: (one) => [[nameOf(one.prospect?.person)], [one.type, one.status, one.unread ? "unread" : ""], [one.text]],
  calls: (one) => [[nameOf(one.prospect?.person)], [one.callType, one.duration === undefined ? "" : `${one.duration} s`, `${one.from} to ${one.to}`], [one.summary]],
  opt_outs: (one) => [[one.identifier], [one.identifierType, one.label, one.isManuallyAdded ? "added by a user" : ""]],
};

const LABELS = { email_messages: "Email", linkedin_messages: "LinkedIn", calls: "Call", opt_outs: "Opted out" };

const THREADS = { email_messages: "emailThreadId", linkedin_messages: "conversationId" };

const EVENTS = {
  "email-reply": { name: "Email reply", text: "body" },
  "linkedin-reply": { name: "LinkedIn reply", text: "text" },
  call: { name: "Call", text: "summary" },
  "opt-out": { name: "Opt-out", text: null },
};

const nameOf = (person) => [person?.firstName, person?.lastName].filter(Boolean).join(" ") || person?.email || "Unknown";

// A person: name, or contacts without one; what they do; contacts; what the API does not declare.
function human(one, record = {}, status = "") {
  const { firstName, lastName, company, jobTitle, email, linkedinUrl, phone, ...rest } = record;
  const contacts = [one.email, one.linkedinUrl, one.phone];
  const others = Object.entries(rest).map(([name, value]) => `${name}: ${plain(value)}`);
  const named = [one.firstName, one.lastName].filter(Boolean);
  return [named.length ? named : contacts, [one.jobTitle, one.company, status], named.length ? [...contacts, ...others] : others];
}

function headOf(kind, one) {
  const [title, ...lines] = HEADS[kind](one);
  const between = kind === "prospects" || kind === "persons" ? " " : ", ";
  return [el("strong", {}, isolated(title, between)), ...lines.map((line) => el("span", {}, isolated(line)))];
}

// The thread of a message, so that one that goes on stays open.
const keyOf = (one) => one[THREADS[state.kind]] ?? one.id;

const list = (kind, query) => {
  const given = Object.entries({ ...query, expand: true }).filter(([, value]) => value);
  return ask(`objects/${kind}?${new URLSearchParams(given)}`).then(({ data }) => data.reverse());
};

/** @type {(campaign: any, actions: Record<"act" | "lookAgain", any>) => Promise<void>} */
export async function showObjects(campaign, actions) {
  const { kind, search, skip } = state;
  const ofCampaign = kind === "prospects";
  const query = { account: campaign.account, campaignId: ofCampaign ? campaign.id : "", search, skip, last: PAGE + 1 };
  const depends = JSON.stringify([kind, query, state.newest, state.cleared, campaign.prospects]);
  if (!search || depends !== state.seen) { // a search is only repeated when something has happened
    const found = await list(kind, query);
    if (kind !== state.kind || search !== state.search || skip !== state.skip || campaign.id !== state.campaign) return;
    state.seen = depends;
    const shown = found.slice(0, PAGE);
    if (linkedElsewhere(shown)) return showObjects(campaign, actions);
    const items = shown.filter((value, index) => index === shown.findIndex((newer) => keyOf(newer) === keyOf(value)));
    keyed($("objects"), items, (value) => `${kind} ${keyOf(value)}`, () => makeItem(actions));
    for (const [index, value] of items.entries()) showHead($("objects").children[index], value);
    $("newer").hidden = skip === 0;
    $("older").hidden = found.length <= PAGE;
    showNote(campaign, shown.length);
  }
  const title = ofCampaign ? [...isolated([campaign.name]), `: ${plural(campaign.prospects, "prospect")}`] : [`${$("kind").selectedOptions[0].text} of ${campaign.account}`];
  $("campaign-title").replaceChildren(...title.flat());
  for (const item of $("objects").children) await showInside(item, actions);
}

// An open object that the address names, and that is not among the newest, is searched for by its id.
function linkedElsewhere(shown) {
  const elsewhere = state.linked && state.object && !state.search && !shown.some((value) => keyOf(value) === state.object);
  state.linked = false;
  if (!elsewhere) return false;
  state.search = $("search").value = state.object;
  toAddress();
  return true;
}

const SIMULATED = "None yet. Open a prospect of a campaign to simulate one.";
const OF_PROSPECTS = "None yet. The prospects that you add make them.";
const NONE = { prospects: "None yet.", persons: OF_PROSPECTS, companies: OF_PROSPECTS, reps: "None. They come from the seed." };

function showNote(campaign, count) {
  const { kind, search, skip } = state;
  const whole = !skip && $("older").hidden;
  const total = kind === "prospects" && !search ? ` of ${figure(campaign.prospects)}` : "";
  const first = !count && !search && kind === "prospects" && addPath && $("curl").textContent;
  const none = search ? "Nothing has all of these words." : first ? "" : NONE[kind] ?? SIMULATED;
  $("first").hidden = !first;
  $("objects").hidden = !count;
  setText($("prospects-note"), !count ? none : whole ? "Newest first." : `${figure(skip + 1)} to ${figure(skip + count)}${total}, newest first.`);
}

/** @type {WeakMap<Element, any>} */
const values = new WeakMap(); // the object of an item

function makeItem({ lookAgain }) {
  const item = el("li", { class: "new" }, el("button", { type: "button", "aria-expanded": "false" }), el("div", { class: "inside", hidden: true }));
  item.firstChild.addEventListener("click", () => {
    const key = keyOf(values.get(item));
    state.object = state.object === key ? null : key;
    visit();
    lookAgain();
  });
  return item;
}

function showHead(item, value) {
  if (JSON.stringify(values.get(item)) === JSON.stringify(value)) return;
  values.set(item, value);
  item.firstChild.replaceChildren(...headOf(state.kind, value));
}

async function showInside(item, actions) {
  const [button, box] = item.children;
  const value = values.get(item);
  const open = keyOf(value) === state.object;
  button.setAttribute("aria-expanded", String(open));
  box.hidden = !open;
  if (!open) return box.replaceChildren();
  const related = await relatedTo(value);
  if (keyOf(value) !== state.object) return; // closed meanwhile
  if (!box.firstChild) {
    box.append(...(state.kind === "prospects" ? [simulation(value, actions)] : []), el("ol", { class: "related" }), el("dl", {}));
  }
  keyed(box.querySelector("ol"), related, JSON.stringify, makeRelated);
  const facts = Object.entries(value).filter(([name]) => !(`${name}Id` in value));
  keyed(box.querySelector("dl"), facts.flatMap(([name, fact]) => [["dt", name, name], ["dd", name, plain(fact)]]), JSON.stringify, ([tag, , text]) => el(tag, {}, text));
}

// The messages and calls of a prospect, or those of the thread of a message; newest first.
async function relatedTo(value) {
  const asked = [];
  if (state.kind === "prospects") {
    const { email, linkedinUrl, phone } = value.person ?? {};
    const contacts = [email, linkedinUrl, phone].filter(Boolean);
    for (const kind of ["email_messages", "linkedin_messages", "calls"]) asked.push({ kind, query: { prospectId: value.id } });
    for (const contact of contacts) asked.push({ kind: "opt_outs", query: { search: contact }, keep: (one) => one.identifier === contact });
  }
  const thread = THREADS[state.kind];
  if (value[thread]) asked.push({ kind: state.kind, query: { [thread]: value[thread] } });
  const all = asked.map(async ({ kind, query, keep = () => true }) => (await list(kind, query)).filter(keep).map((one) => ({ kind, one })));
  return (await Promise.all(all)).flat().sort((a, b) => timeOf(b.one).localeCompare(timeOf(a.one)));
}

const timeOf = (one) => one.sentAt ?? one.happenedAt ?? one.startedAt ?? one.createdAt;

function makeRelated({ kind, one }) {
  return el("li", {}, el("small", {}, `${LABELS[kind]}, ${timeOf(one).slice(0, 16).replace("T", " ")}`), headOf(kind, one));
}

function simulation({ id }, { act }) {
  const input = el("input", { "aria-label": "Text of the reply, or summary of the call", placeholder: "Text (optional)" });
  const happen = (event, { name, text }) => () => {
    const fields = text && input.value ? { [text]: input.value } : {};
    input.value = "";
    act(() => ask("events", "POST", { event, prospectId: id, ...fields }), `Simulated: ${name}.`);
  };
  const buttons = Object.entries(EVENTS).map(([event, one]) => el("button", { type: "button", onclick: happen(event, one) }, one.name));
  return el("p", { class: "chips simulate" }, "Simulate", input, buttons);
}
