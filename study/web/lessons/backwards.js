// Why backwards: nine slopes by nine nudges, or all of them by one pulse from L.

import { html } from "htm/preact";
import { count, whole } from "../fields.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { fixed } from "../math/numbers.js";
import { Arrow, between, Drawing, Node, Pulse } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { useMotion } from "../parts/motion.js";
import { EDGES, LINKS, OF_UNIT, trimmed, UNITS } from "../parts/network.js";

// In the order in which they are nudged, and how far each is.
const NAMES = ["w1", "w2", "b1", "w3", "w4", "b2", "w5", "w6", "b3"];
const NUDGE = 0.01;
const NUDGED = whole(0, NAMES.length, 1);
const PULSE_MS = 3600;

// The widths of a larger network, to count its numbers.
const LARGER = [2, 64, 64, 1];
const sizeOf = (widths) => widths.slice(1).reduce((sum, width, k) => sum + width * (widths[k] + 1), 0);

function seen(study, { nudged }) {
  const given = givenFor(study, "alice", "lessons");
  const { L } = passAt(study, given);
  const measured = NAMES.slice(0, nudged).map((name) => (passAt(study, { ...given, [name]: given[name] + NUDGE }).L - L) / NUDGE);
  return { measured, back: slopesAt(study, given), passes: nudged + 1 };
}

// What a nudge of the parameter moves: edges behind it.
function movedBy(name) {
  if (!name) return [];
  let unit = OF_UNIT[name] ?? EDGES[name][1];
  const moved = OF_UNIT[name] ? [] : [EDGES[name]];
  for (let next; (next = LINKS.find(([from]) => from === unit)); [, unit] = next) moved.push(next);
  return moved;
}

function Network({ measured, back, state: { nudged, sent }, width, height }) {
  const come = useMotion(sent, PULSE_MS) * 3;
  const isSmall = width < 480;
  const [columns, rows] = isSmall ? [3, 3] : [9, 1];
  const [cell, line] = [width / columns, isSmall ? 24 : 46];
  const deep = height - rows * line - 10;
  const radius = isSmall ? 17 : 22;
  const place = (unit) => [radius + 2 + ((width - 2 * radius - 4) * UNITS[unit][0]) / 3, radius + 2 + (deep - 2 * radius - 4) * UNITS[unit][1]];
  const isBack = sent > 0;
  // When the pulse has come to the beginning of a link, or to a parameter.
  const arrives = ([from]) => 3 - UNITS[from][0];
  const reaches = (name) => (OF_UNIT[name] ? 3 - UNITS[OF_UNIT[name]][0] : arrives(EDGES[name]));
  const current = isBack ? [] : movedBy(NAMES[nudged - 1]);
  return html`
    ${LINKS.map((link) => {
      const [from, to] = trimmed(link, place, radius + 4);
      const isPassed = isBack && come >= arrives(link);
      return html`<${Arrow} name=${isPassed ? "back" : current.includes(link) ? "forward now" : "forward quiet"} from=${isPassed ? to : from} to=${isPassed ? from : to} />`;
    })}
    ${Object.keys(UNITS).map((unit) => {
      const [x, y] = place(unit);
      return html`<${Node} at=${[x, y]} radius=${radius} text=${unit} />`;
    })}
    ${Object.entries(EDGES).map(([name, [from, to]]) => {
      const [x, y] = between(place(from), place(to), UNITS[from][1] === UNITS[to][1] ? 0.5 : from[0] === "x" ? 0.3 : 0.42);
      return html`<text class="of" x=${x} y=${y + 5} text-anchor="middle">${name}</text>`;
    })}
    ${Object.entries(OF_UNIT).map(([name, unit]) => {
      const [x, y] = place(unit);
      return html`<text class="of" x=${x} y=${y + (UNITS[unit][1] < 1 ? radius + 17 : -radius - 7)} text-anchor="middle">${name}</text>`;
    })}
    ${isBack && LINKS.map((link) => {
      const on = come - arrives(link) + 1;
      return on > 0 && on < 1 && html`<${Pulse} at=${between(place(link[1]), place(link[0]), on)} />`;
    })}
    ${NAMES.map((name, k) => {
      const [x, y] = [(k % columns) * cell, deep + 10 + Math.floor(k / columns) * line];
      const isReached = isBack && come >= reaches(name);
      const [value, kind] = isReached ? [back[name], "back"] : k < measured.length ? [measured[k], "number"] : [null, "asked"];
      const text = value === null ? "·" : fixed(value, 3);
      return html`<g class=${`cell ${k === nudged - 1 && !isBack ? "now" : ""}`}>
        <rect x=${x + 2} y=${y} width=${cell - 4} height=${line - 4} rx="5" />
        ${isSmall
          ? html`<text class="symbol" x=${x + 7} y=${y + 15}>${name}</text><text class=${`${kind} small`} x=${x + cell - 7} y=${y + 15} text-anchor="end">${text}</text>`
          : html`<text class="symbol" x=${x + cell / 2} y=${y + 17} text-anchor="middle">${name}</text><text class=${kind} x=${x + cell / 2} y=${y + 35} text-anchor="middle">${text}</text>`}
      </g>`;
    })}`;
}

const described = ({ state: { nudged, sent } }) => `The network, and its nine slopes: ${sent ? "all" : nudged} of them known.`;

const Picture = (of) => html`<${Drawing} name="network" label=${described(of)}>${(width, height) => html`<${Network} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state: { nudged, sent }, set, passes }) => html`
  <${Handle} symbol="nudged" field=${NUDGED} step="1" value=${nudged} shown=${sent ? "1 + 1 back" : `${passes} passes`.replace(/^1 passes/, "1 pass")} text=${`${nudged} of nine, ${passes} passes`} onInput=${(nudged) => set({ nudged, sent: 0 })} />`;

export const backwards = {
  key: "backwards",
  title: "Why backwards",
  about: "dL_dw2",
  section: "All nine",
  fields: { nudged: NUDGED, sent: count() },
  seen,
  Picture,
  Controls,
  says: () => [`Six weights, and a b in each of three sums: nine numbers, nine slopes. Nudge one by ${NUDGE}, run the network forward again (a pass), see how L moves; then the next. Drag.`],
  guess: {
    asks: "Back from L: how many passes give all nine slopes?",
    options: { nine: "nine", one: "one" },
    right: () => "one",
    plays: ({ sent }, set) => set({ sent: (sent ?? 0) + 1 }),
  },
  answer: () => [
    "It goes through every link once. What w1, w2 and b1 do to L, all three do through h1, so what comes back to h1 serves them all. Nothing is worked out twice.",
    `In a network with two layers of ${LARGER[1]} units there are ${sizeOf(LARGER).toLocaleString("en-US")} numbers: ${(sizeOf(LARGER) + 1).toLocaleString("en-US")} passes by nudging; one forward and one back this way. And a nudge is off in the third or fourth digit, as slopes change on the way.`,
  ],
  act: ({ state, set }) => ["Send it again", () => set({ sent: state.sent + 1 })],
};
