import type { components } from "./alta.js";

export type Prospect = components["schemas"]["ProspectRecord"];

// Your people. One whom nobody can reach, or whose address is a number, does not compile.
export const people: Prospect[] = Array.from({ length: 45 }, (_, number) => ({
  firstName: "Ada",
  email: `person.${number}@example.com`,
}));
