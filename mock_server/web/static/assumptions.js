// The open questions of the vendor's documentation, each with a choice: what the fake does.

import { ask } from "./control.js";
import { $, el, keyed, plural } from "./elements.js";

/** @type {(choose: (id: string, choice: string) => void) => Promise<void>} */
export async function showAssumptions(choose) {
  const assumptions = (await ask("assumptions")).data;
  const changed = assumptions.filter((one) => one.chosen !== one.choices[0].id);
  $("assumed").textContent = changed.length ? `${plural(changed.length, "choice")} of yours` : "";
  const key = (one) => `${one.id} ${one.chosen}`; // another choice makes a new element
  keyed($("assumptions"), assumptions, key, (one) => question(one, choose));
}

function question(one, choose) {
  const chosen = one.choices.find((choice) => choice.id === one.chosen);
  const options = one.choices.map((choice) => el("option", { selected: choice === chosen }, choice.id));
  const select = el("select", { onchange: (event) => choose(one.id, event.target.value) }, options);
  return el(
    "li",
    { class: chosen === one.choices[0] ? null : "chosen" },
    el("label", {}, `${one.question} `, select),
    el("p", { class: "note" }, chosen.happens),
  );
}
