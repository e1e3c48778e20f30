// The article's network: its units, and what joins them.

import { between } from "./figure.js";

// Where the units stand: the column, of four, and the row, 0 to 1. A parameter is an edge, or belongs to a unit.
export const UNITS = { x1: [0, 0], x2: [0, 1], h1: [1, 0], h2: [1, 1], ypred: [2, 0.5], L: [3, 0.5] };
export const EDGES = { w1: ["x1", "h1"], w2: ["x2", "h1"], w3: ["x1", "h2"], w4: ["x2", "h2"], w5: ["h1", "ypred"], w6: ["h2", "ypred"] };
export const OF_UNIT = { b1: "h1", b2: "h2", b3: "ypred" };
export const PARAMETERS = [...Object.keys(EDGES), ...Object.keys(OF_UNIT)];
export const PEOPLE = ["alice", "bob", "charlie", "diana"];
export const LINKS = [...Object.values(EDGES), ["ypred", "L"]];

// The ends of a link, so far from the middles of its units, which `place` gives.
export function trimmed(link, place, gap) {
  const [from, to] = link.map(place);
  const share = gap / Math.hypot(to[0] - from[0], to[1] - from[1]);
  return [between(from, to, share), between(from, to, 1 - share)];
}
