// Chain: w1 wiggles and five quantities wiggle with it; then a pulse comes back from L and is multiplied at every link.

import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { fixed, signed } from "../math/numbers.js";
import { Drawing } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, useMotion } from "../parts/motion.js";

const MOVE = number(-0.2, 0.2, 0);
const NAMES = ["w1", "z1", "h1", "z3", "ypred", "L"];
// What each link multiplies by, as the slope is called.
const LINKS = ["x1", "σ′(z1)", "w5", "σ′(z3)", "2(ypred − y)"];
const PULSE_MS = 4500;

function seen(study, { move }) {
  const given = givenFor(study, "alice", "lessons");
  const [before, after] = [passAt(study, given), passAt(study, { ...given, w1: given.w1 + move })];
  const back = slopesAt(study, given);
  return {
    moves: NAMES.map((name) => after[name] - before[name]),
    // The slope of each link: ∂L/∂ its beginning, over ∂L/∂ its end.
    links: LINKS.map((_, k) => back[NAMES[k]] / back[NAMES[k + 1]]),
    back: NAMES.map((name) => back[name]),
  };
}

// Rows from w1 down to L. A row is a bar of how far its quantity has moved, with the number; what is asked stays hidden.
function Rows({ moves, links, back, guessed, state, width, height }) {
  const come = useMotion(state.sent, PULSE_MS) * LINKS.length;
  const isSmall = width < 480;
  const [row, names, numbers] = [height / NAMES.length, isSmall ? 92 : 170, isSmall ? 62 : 90];
  const [middle, half] = [(names + width - numbers) / 2, (width - numbers - names) / 2 - 4];
  const y = (k) => row * (k + 0.5);
  const length = (move) => (move / 0.42) * half;
  const isHidden = (k) => !guessed && k > 2;
  const bar = Math.min(22, row * 0.5);
  const rail = 22;
  return html`
    <line class="zero" x1=${middle} x2=${middle} y1="4" y2=${height - 4} />
    ${LINKS.map((name, k) => {
      const [from, to, at] = [y(k) + 12, y(k + 1) - 12, y(k + 0.5) + 4];
      return html`
        <path class="rail" d=${`M${rail},${from}V${to - 5}m-4,0h8l-4,6z`} />
        ${!isHidden(k + 1) && html`<text class="slope" x=${rail + 12} y=${at}>× ${fixed(links[k], 2)}</text>`}
        ${!isSmall && !isHidden(k + 1) && html`<text class="what" x=${rail + 72} y=${at}>${name}</text>`}`;
    })}
    ${NAMES.map((name, k) => {
      const [x, w] = [middle + Math.min(0, length(moves[k])), Math.abs(length(moves[k]))];
      const isBack = state.sent > 0 && LINKS.length - k <= come;
      return html`
        <text class="symbol" x=${rail} y=${y(k) + 5} text-anchor="middle">${name}</text>
        ${isHidden(k)
          ? html`<text class="hidden" x=${middle} y=${y(k) + 6} text-anchor="middle">?</text>`
          : html`<rect class="move" x=${x} y=${y(k) - bar / 2} width=${Math.max(w, 1.5)} height=${bar} rx="2" />
              <text class=${isBack ? "back" : "number"} x=${width - 2} y=${y(k) + 5} text-anchor="end">${isBack ? fixed(back[k], 3) : signed(moves[k], 3)}</text>`}`;
    })}
    ${state.sent > 0 && come < LINKS.length && html`<path class="pulse" transform=${`translate(${rail},${y(LINKS.length - come)})`} d="M0,-11L11,0L0,11L-11,0Z" />`}`;
}

const described = ({ moves, guessed }) => `How far each quantity moved: ${NAMES.slice(0, guessed ? 6 : 3).map((name, k) => `${name} ${signed(moves[k])}`).join(", ")}.`;

const Picture = (of) => html`<${Drawing} name="rows" label=${described(of)}>${(width, height) => html`<${Rows} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state, set, moves, guessed }) => html`
  <${Handle} symbol="w1" field=${MOVE} step="0.01" value=${state.move} text=${`moved by ${signed(state.move, 2)}; h1 moves by ${signed(moves[2])}`} onInput=${(move) => set({ move, sent: 0 })} />
  ${guessed && html`<button type="button" class="send" onClick=${() => set({ sent: state.sent + 1 })}>Send a pulse back</button>`}`;

// To one side, to the other, and to rest where all can be read.
const wiggle = (_, set) => play(1400, (done) => set({ move: Number((0.2 * (done < 1 ? Math.sin(2.5 * Math.PI * done) : 1)).toFixed(2)) }));

export const chain = {
  key: "chain",
  title: "Chain",
  about: "dL_dw1",
  fields: { move: MOVE, sent: count() },
  seen,
  Picture,
  Controls,
  says: () => [
    "Alice alone. w1 does not touch L; it moves a sum, z1 = w1·x1 + …; a curve σ presses that between 0 and 1: h1. Then z3 = w5·h1 + …, ypred = σ(z3), and L.",
    "Wiggle w1, and all of them wiggle.",
  ],
  guess: {
    asks: "w5 is −4. Will z3 move more than h1, or less?",
    options: { more: "more", less: "less" },
    right: () => "more",
    plays: wiggle,
  },
  answer: ({ links, back, state }) => [
    `Four times as much, the other way: each moves as much as the one before, times one slope. σ′ is how steep the curve σ is.`,
    state.sent
      ? `Back from L, the pulse is multiplied at each link, and arrives as ${links.toReversed().map((of) => (of < 0 ? `(${fixed(of, 2)})` : fixed(of, 2))).join(" · ")} = ${fixed(back[0])}. That is ∂L/∂w1, and on its way it was ∂L by everything that it passed.`
      : "Now the other way.",
  ],
};
