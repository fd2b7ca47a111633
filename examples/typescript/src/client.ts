// A typed client of the Alta API that waits for Retry-After after a 429, and reads lists page by page.
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./alta.js";

const MOST_TRIES = 10;
const MOST_SECONDS = 300;

type Answer<T> = { data?: T; error?: unknown; response: Response };
type Page<T> = { data: T[]; hasMore: boolean; next?: string };

export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const alta = createClient<paths>({
  baseUrl: setting("ALTA_BASE_URL"),
  headers: { Authorization: `Bearer ${setting("ALTA_API_TOKEN")}` },
  redirect: "manual",
});

function secondsToWait(response: Response, tries: number): number {
  const wait = response.headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(wait)) return Number(wait);
  const until = Date.parse(wait); // HTTP allows a date, too
  const now = Date.parse(response.headers.get("Date") ?? "") || Date.now();
  return Number.isNaN(until) ? Math.min(60, 2 ** (tries - 1)) : Math.max(0, until - now) / 1000;
}

export async function sent<T>(send: () => Promise<Answer<T>>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const { data, error, response } = await send();
    if (response.ok) return data as T;
    const seconds = secondsToWait(response, tries);
    if (response.status !== 429 || tries === MOST_TRIES || seconds > MOST_SECONDS) {
      throw new Error(`${response.status} ${JSON.stringify(error)}`);
    }
    await sleep(seconds * 1000);
  }
}

// Yields the objects of a list; the cursor alone continues.
export async function* pages<T, Filters>(
  filters: Filters,
  read: (query: Filters | { cursor: string }) => Promise<Answer<Page<T>>>,
): AsyncGenerator<T> {
  let query: Filters | { cursor: string } | undefined = filters;
  while (query) {
    const current: Filters | { cursor: string } = query;
    const page: Page<T> = await sent(() => read(current));
    yield* page.data;
    query = page.hasMore && page.next ? { cursor: page.next } : undefined;
  }
}
