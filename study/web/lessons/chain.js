// Chain: w1 wiggles and five quantities wiggle with it; then a pulse comes back from L and is multiplied at every link.

import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { fixed, short, signed } from "../math/numbers.js";
import { Bars } from "../parts/bars.js";
import { Arrow, Drawing, Pulse } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, useMotion } from "../parts/motion.js";

const START = -0.1;
const W1 = number(START - 0.2, START + 0.2, START + 0.1);
const NAMES = ["w1", "z1", "h1", "z3", "ypred", "L"];
// How each is computed, and what each link multiplies by, as the slope is called.
const FORMULAS = ["", "w1·x1 + …", "σ(z1)", "w5·h1 + …", "σ(z3)", "(y − ypred)²"];
const LINKS = ["x1", "σ′(z1)", "w5", "σ′(z3)", "2(ypred − y)"];
const PULSE_MS = 4500;
// Where the names stand, and what fills one side of the bars: more than any of them moves.
const [RAIL, MOST] = [24, 0.42];

function seen(study, { w1 }) {
  const given = givenFor(study, "alice", "lessons");
  const [before, after] = [passAt(study, given), passAt(study, { ...given, w1 })];
  const back = slopesAt(study, given);
  return {
    moves: NAMES.map((name) => after[name] - before[name]),
    // The slope of each link: ∂L/∂ its beginning, over ∂L/∂ its end.
    links: LINKS.map((_, k) => back[NAMES[k]] / back[NAMES[k + 1]]),
    back: NAMES.map((name) => back[name]),
  };
}

// Rows from w1 down to L. A row is a bar of how far its quantity has moved, and what is asked stays hidden; once a pulse
// has passed, it is ∂L by its quantity.
function Rows({ moves, links, back, guessed, state: { sent }, width, height }) {
  const isBack = sent > 0;
  const come = useMotion(sent, PULSE_MS) * LINKS.length;
  const isSmall = width < 480;
  const y = (k) => (height / NAMES.length) * (k + 0.5);
  const isHidden = (k) => !guessed && k > 2;
  const hasPassed = (k) => isBack && LINKS.length - k <= come;
  const rows = NAMES.map((name, k) => {
    if (isHidden(k)) return ["", null];
    if (hasPassed(k)) return ["", back[k], "returned", `${isSmall ? "" : `∂L/∂${name} = `}${fixed(back[k])}`];
    return ["", moves[k] / MOST, isBack ? "forward faint" : "forward", isBack ? "" : signed(moves[k])];
  });
  return html`
    <${Bars} rows=${rows} most=${1} names=${isSmall ? 138 : 196} width=${width} height=${height} />
    ${LINKS.map((name, k) => {
      const ends = [[RAIL, y(k) + 12], [RAIL, y(k + 1) - 12]];
      const [from, to] = hasPassed(k) ? ends.toReversed() : ends;
      return html`
        <${Arrow} name=${hasPassed(k) ? "back" : "forward"} from=${from} to=${to} />
        ${!isHidden(k + 1) && html`<text class=${hasPassed(k) ? "back" : "slope"} x=${RAIL + 12} y=${y(k + 0.5) + 5}>× ${short(links[k])}${!isSmall && guessed && html`<tspan class="what" dx="8">${name}</tspan>`}</text>`}`;
    })}
    ${NAMES.map((name, k) => html`<text class="symbol" x=${RAIL} y=${y(k) + 5} text-anchor="middle">${name}</text>${FORMULAS[k] && html`<text class="what small" x=${RAIL + 30} y=${y(k) + 5}>= ${FORMULAS[k]}</text>`}`)}
    ${isBack && come < LINKS.length && html`<${Pulse} at=${[RAIL, y(LINKS.length - come)]} />`}`;
}

const described = ({ moves, guessed }) => `How far each quantity moved: ${NAMES.slice(0, guessed ? 6 : 3).map((name, k) => `${name} ${signed(moves[k])}`).join(", ")}.`;

const Picture = (of) => html`<${Drawing} name="rows" label=${described(of)}>${(width, height) => html`<${Rows} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state, set, moves }) => html`
  <${Handle} symbol="move of w1" field=${W1} step="0.01" value=${state.w1} shown=${signed(moves[0], 2)} text=${`${fixed(state.w1, 2)}, moved by ${signed(moves[0], 2)}; h1 moves by ${signed(moves[2])}`} onInput=${(w1) => set({ w1, sent: 0 })} />`;

// To one side, to the other, and to rest at a small move, of which slopes tell almost all.
const wiggle = (_, set) => play(1400, (done) => set({ w1: Number((START + (0.2 - 0.1 * done) * Math.sin(2.5 * Math.PI * done)).toFixed(3)) }));

export const chain = {
  key: "chain",
  title: "Chain",
  about: "dL_dw1",
  section: "Backwards",
  fields: { w1: W1, sent: count() },
  seen,
  Picture,
  Controls,
  says: () => ["Alice alone: her y is 1, and x1 = −2 is her weight less 135 lb. w1 moves z1, that moves h1, and so on down to L. σ(z) = 1/(1 + e⁻ᶻ) presses any number between 0 and 1. Drag."],
  guess: {
    asks: "w5 is −4. Will z3 move more than h1, or less?",
    options: { more: "more", less: "less" },
    right: () => "more",
    plays: wiggle,
  },
  answer: ({ links, back, state }) => [
    "Four times as much, the other way: each moves as much as the one before, times one slope; almost, if the move is small. σ′ is how steep σ is.",
    state.sent
      ? `Back from L, the pulse is multiplied at each link, and arrives as ${links.toReversed().map((of) => (of < 0 ? `(${short(of)})` : short(of))).join(" · ")} = ${fixed(back[0])}. That is ∂L/∂w1. At each stop it is the slope of L by what stands there: ∂L/∂h1 is ${fixed(back[2])}.`
      : "Now the other way.",
  ],
  act: ({ state, set }) => ["Send a pulse back", () => set({ sent: state.sent + 1 })],
};
