// Elements of the page, of text only: whatever comes from the mock never becomes markup.

/** @type {(id: string) => any} */
export const $ = (id) => document.getElementById(id);

/** @returns {any} */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined));
  return made;
}

// Order children by their keys; an unchanged one stays the same element, with its focus.
/** @type {(parent: any, items: any[], keyOf: (item: any) => any, make: (item: any) => any) => void} */
export function keyed(parent, items, keyOf, make) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = old.get(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    old.delete(key);
    const place = before ? before.nextSibling : parent.firstChild;
    if (child !== place) parent.insertBefore(child, place);
    before = child;
  }
  for (const child of old.values()) {
    if (child.contains(document.activeElement)) parent.closest("[tabindex]")?.focus({ preventScroll: true });
    child.remove();
  }
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const figure = (number) => number.toLocaleString("en");
export const plural = (count, name) => `${figure(count)} ${name}${count === 1 ? "" : "s"}`;

// Other people's text keeps its direction to itself.
export const bdi = (text) => el("bdi", {}, text);

// Those of the values that are there, each isolated from the others.
export function isolated(values, between = ", ") {
  const there = values.filter((one) => one !== undefined && one !== null && one !== "");
  return there.map((one, index) => [index ? between : "", bdi(short(one))]);
}

const LETTERS = 300; // of a value in a list

const short = (value) => (plain(value).length > LETTERS ? `${plain(value).slice(0, LETTERS)}…` : plain(value));
export const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));
