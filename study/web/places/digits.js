// Appendix, digits: what a nudge is wrong by, from the largest to the smallest; and where σ′ loses its digits.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { choice, number } from "../fields.js";
import { DECIMALS } from "../math/decimal.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { raised, short } from "../math/numbers.js";
import { run } from "../math/program.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { link } from "../parts/frame.js";
import { Handle } from "../parts/handle.js";
import { PARAMETERS, PEOPLE } from "../parts/network.js";
import { viewOf } from "../route.js";

const POWER = number(-16, 0, -3);
const FINE = Array.from({ length: 129 }, (_, k) => 10 ** (-k / 8));
// What is drawn of an error; 0 is at the lower end.
const [FLOOR, CEILING] = [1e-17, 100];
const SLOPES = PEOPLE.flatMap((person) => PARAMETERS.map((name) => `${person}-${name}`));

// What is the same for all h.
function about(study, of) {
  const [person, name] = of.split("-");
  const given = givenFor(study, person, "ones");
  const lossAt = (by) => passAt(study, { ...given, [name]: given[name] + by }).L;
  const long = run(study.program, given, DECIMALS);
  const results = run(study.program, given);
  const exact = long[study.program.at[`dL_d${name}`]];
  const off = (value) => DECIMALS.from(value).minus(exact).div(exact).abs().toNumber();
  const both = (h) => (lossAt(h) - lossAt(-h)) / (2 * h);
  const one = (h) => (lossAt(h) - lossAt(0)) / h;
  const drawn = (value) => Math.min(CEILING, Math.max(FLOOR, off(value)));
  const lines = [both, one].map((quotient) => FINE.map((h) => [h, drawn(quotient(h))]));
  return {
    ...{ person, name, given, lossAt, long, results, exact, off, both, one, drawn },
    lines,
    // No step is anywhere near the slope.
    isDead: lines[0].every(([, error]) => error > 1e-3),
    hand: results[study.program.at[`dL_d${name}`]],
    autodiff: slopesAt(study, given)[name],
  };
}

let known = {}; // of the slope that was last shown

function seen(study, { of, power }) {
  if (known.of !== of) known = { of, ...about(study, of) };
  const h = 10 ** power;
  return { ...known, h, quotient: known.both(h) };
}

const power = (h) => `10${raised(Math.round(Math.log10(h)))}`;

function vee({ h, isDead, quotient, off, drawn, lines: [both, one], hand, autodiff }) {
  const text = (x, y, says, rest = {}) => Plot.text([[x, y]], { text: () => says, className: "says", ...rest });
  const by = (line, at) => line.find(([x]) => x <= at);
  return (width) => ({
    x: { type: "log", domain: [1e-16, 1], label: "h", ticks: width < 480 ? [1e-16, 1e-8, 1] : [1e-16, 1e-12, 1e-8, 1e-4, 1], tickFormat: power, ...AXIS },
    y: { type: "log", domain: [FLOOR, CEILING], label: "wrong by, as a share of the slope", ticks: [1e-16, 1e-12, 1e-8, 1e-4, 1], tickFormat: power },
    ...MARGINS,
    marginLeft: 46,
    marks: [
      Plot.ruleY([1], { className: "whole" }),
      text(1e-16, 1, "all digits wrong", { textAnchor: "start", dx: 6, dy: -10 }),
      !isDead && text(1e-16, 10 ** -11.5, "digits are lost", { textAnchor: "start", dx: 6 }),
      !isDead && text(1, 10 ** -11.5, "the curve bends", { textAnchor: "end" }),
      Plot.line(one, { className: "one" }),
      Plot.line(both, { className: "curve" }),
      !isDead && text(...by(one, 1e-3), "one side", { textAnchor: "end", dx: -4, dy: -10 }),
      !isDead && width > 480 && text(...by(both, 1e-2), "both sides", { textAnchor: "start", dx: 10, dy: 8 }),
      Plot.ruleY([hand, autodiff].map(drawn), { className: "formula" }),
      text(1, drawn(hand), "by hand, and autodiff", { className: "formula", textAnchor: "end", dy: -11 }),
      Plot.ruleX([h], { y1: FLOOR, y2: drawn(quotient), className: "drop" }),
      Plot.dot([[h, drawn(quotient)]], { r: 6, className: "here" }),
    ],
  });
}

// A number, and how many of its characters are as in another one.
function Digits({ text, like, isOfWorth = (same) => same }) {
  let same = 0;
  while (same < text.length && text[same] === like[same]) same += 1;
  const part = (is, of) => html`<span class=${isOfWorth(is) ? "known" : ""}>${of}</span>`;
  return html`${part(true, text.slice(0, same))}${part(false, text.slice(same))}`;
}

// As many digits as a float has, by the power of ten of a decimal.
const scaled = (value, { e }) => DECIMALS.from(value).times(`1e${-e}`).toFixed(15).replace("-", "−");
const times = ({ e }) => (e ? `·10${raised(e)}` : "");

// What differs between the losses is left of them; what is as in the exact slope is right of its quotient.
function Subtracted({ name, h, exact, lossAt, quotient }) {
  const [up, down] = [lossAt(h), lossAt(-h)].map((loss) => loss.toFixed(17));
  return html`<table class="digits">
    ${[["+", up, down], ["−", down, up]].map(([sign, text, like]) => html`<tr><th>L at ${name} ${sign} h</th><td><${Digits} text=${text} like=${like} isOfWorth=${(same) => !same} /></td></tr>`)}
    <tr><th>apart / 2h</th><td><${Digits} text=${scaled(quotient, exact)} like=${scaled(exact, exact)} />${times(exact)}</td></tr>
    <tr><th>the slope</th><td>${scaled(exact, exact)}${times(exact)}</td></tr>
  </table>`;
}

const Picture = (of) => html`
  <${Figure} name="nudge" label=${`What a nudge of ${of.name} by h is wrong by, against h: ${of.isDead ? "" : "a V, "}${short(of.off(of.quotient), 2)} at ${short(of.h, 2)}. By hand and by autodiff it is ${short(of.off(of.hand), 1)} and ${short(of.off(of.autodiff), 1)}.`} options=${vee(of)} />
  <${Subtracted} ...${of} />`;

const Controls = ({ study, state, set, h, quotient, off }) => html`
  <${Handle} symbol="h" field=${POWER} step="0.125" value=${state.power} shown=${short(h, 2)} text=${`${short(h, 2)}, wrong by ${short(off(quotient), 2)} of the slope`} onInput=${(to) => set({ power: to })} />
  <select aria-label="Slope" value=${state.of} onChange=${(event) => set({ of: event.target.value })}>
    ${study.samples.map(({ key, name }) => html`<optgroup label=${name}>${PARAMETERS.map((of) => html`<option value=${`${key}-${of}`}>${name}: ∂L/∂${of}</option>`)}</optgroup>`)}
  </select>`;

// Both parts of the appendix, at the top of each.
export const Parts = ({ view, state }) => html`<p class="parts">${["digits", "mistakes"].map((key) => link(viewOf(key), state.guesses, viewOf(key).part, key === view.key ? { "aria-current": "page" } : {}))}</p>`;

function Words({ view, seen: { study, state, person, isDead, results, long, exact, quotient } }) {
  const at = (name) => results[study.program.at[name]];
  const [h1, right] = [at("h1"), long[study.program.at.dh1_dz1]];
  const row = (name, text) => html`<tr><th>${name}</th><td>${text}</td></tr>`;
  const slope = (value) => html`<${Digits} text=${scaled(value, right)} like=${scaled(right, right)} />${times(right)}`;
  return html`
    <${Parts} view=${view} state=${state} />
    <p>Nudge one number by h to both sides: how far L moves, divided by 2h, should be its slope. All weights are 1.</p>
    <p>${isDead ? `${quotient ? "Here L hardly moves" : "Here L does not move at all"}: no h finds its slope, ${short(exact.toNumber(), 2)}. The formulas do.` : "With h too large, the curve bends between the two points. With h too small, the two losses share nearly all digits, and only those in bold are left."}</p>
    <details><summary>Why a formula is better than a nudge</summary>
      <p>To both sides the bend costs a share that grows as h²: a tenth of h, a hundredth of the error. To one side only, it grows as h.</p>
      <p>A float keeps 16 digits. Of two losses that share ten of them, six are left when they are subtracted, and dividing by 2h brings none back: a tenth of h, ten times the error.</p>
      <p>A formula subtracts no two losses. By hand and by autodiff about the sixteenth digit is wrong.</p>
    </details>
    <details><summary>Lost digits: σ′ = h1(1 − h1)</summary>
      <p>Where h1 is almost 1, 1 − h1 has few digits left. σ(z1)σ(−z1) is the same σ′ and subtracts nothing. In bold are the digits that are right, for ${study.sample[person].name}.${person === "bob" ? "" : " Bob loses the most."}</p>
      <table class="digits">
        ${row("h1", h1)}${row("1 − h1", scaled(1 - h1, right) + times(right))}
        ${row("h1(1 − h1)", slope(h1 * (1 - h1)))}${row("σ(z1)σ(−z1)", slope(at("dh1_dz1")))}${row("exactly", scaled(right, right) + times(right))}
      </table>
    </details>
    <details><summary>What JAX records of L</summary>
      <p>Its tape, from the same loss: σ, which it calls logistic, is one row, and the square is another.</p>
      <table class="tape">${study.recorded.map(([name, operation, operands]) => html`<tr><th>${name}</th><td>${operation}</td><td>${operands}</td></tr>`)}</table>
    </details>`;
}

export const digits = {
  key: "digits",
  title: "Appendix: digits",
  part: "Digits",
  fields: { power: POWER, of: choice(SLOPES, "alice-w1") },
  seen,
  Picture,
  Controls,
  Words,
};
