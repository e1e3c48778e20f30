// Train: the network on the four people, the way it takes down its loss, and what it then says of somebody else.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { choice, count, number, text, whole as wholeNumber } from "../fields.js";
import { FLOATS } from "../math/floats.js";
import { meanLoss, passAt } from "../math/network.js";
import { fixed, short } from "../math/numbers.js";
import { run } from "../math/program.js";
import { train as trained } from "../math/training.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { section, whole } from "../parts/frame.js";
import { Handle } from "../parts/handle.js";
import { halt, play } from "../parts/motion.js";
import { Plane, SCALE } from "../parts/plane.js";

const [ROUNDS, PLAY_MS] = [1000, 4000];
const ROUND = wholeNumber(0, ROUNDS, 0);
// The handle stops at rounds that lie the closer the earlier they are, where most is learnt.
const STOPS = { low: 0, high: 40 };
const roundAt = (stop) => Math.round(ROUNDS * (stop / STOPS.high) ** 2);
const stopOf = (round) => Math.round(STOPS.high * Math.sqrt(round / ROUNDS));
// The logarithm of η.
const POWER = number(-3, 2, -1);

// Two of the nine numbers, to look at L over both.
const PAIRS = ["w6 b3", "w5 w6", "w1 w2", "w3 w4"];
const both = (pair) => pair.replace(" ", " and ");
// No level is a quarter: where σ is flat, L is some of those, and there is no line.
const [GRID, LEVELS] = [48, [0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.9]];
// The colours between levels, from the lowest loss up, and the losses that the legend shows.
const COLOURS = [0, ...LEVELS].map((_, k) => (k < 6 ? `color-mix(in oklab, var(--middle) ${17 * k}%, var(--card))` : `color-mix(in oklab, var(--high) ${17 * k - 87}%, var(--middle))`));
const LOSSES = COLOURS.map((colour, k) => [colour, { 0: "0", 3: "0.03", 7: "0.3", 11: "1" }[k]]);

let kept = {}; // the last training, and the losses of each person after each of its rounds

function trainingOf(study, { start, power }) {
  const key = `${start} ${power}`;
  if (kept.key !== key) {
    const path = trained(study, study.drawn[start % study.drawn.length][1], 10 ** power, ROUNDS);
    const losses = path.map((parameters) => study.samples.map(({ given }) => passAt(study, { ...parameters, ...given }).L));
    kept = { key, path, losses, means: losses.map((of) => of.reduce((sum, L) => sum + L) / of.length) };
  }
  return kept;
}

// What somebody's weight and height are called, and how much of the network's units they are, by definition.
const UNITS = { kg: [["kg", 1 / 0.45359237], ["cm", 1 / 2.54]], lb: [["lb", 1], ["in", 1]] };
const MEASURES = ["weight", "height"];

// As large as can be believed, in the network's units; a little more where it was turned from others.
const [MOST, ROUNDED] = [1000, 1.00001];

const measured = (typed, [, units]) => {
  const value = /^\d+([.,]\d+)?$/.test(typed.trim()) ? Number(typed.trim().replace(",", ".")) : NaN;
  return value > 0 && value * units <= MOST * ROUNDED ? value : null;
};

const isWrong = (typed, unit) => typed.trim() !== "" && measured(typed, unit) === null;

// Of whom the network is asked: { name, weight, height, ypred, far }; or { wrong } with what was typed; or nothing yet.
function askedOf(study, parameters, { unit, ...state }) {
  const typed = MEASURES.map((measure) => state[measure]);
  const units = UNITS[unit];
  const wrong = typed.findIndex((of, k) => isWrong(of, units[k]));
  if (wrong >= 0) return { wrong: `The ${MEASURES[wrong]}, “${typed[wrong].trim()}”, should be a number above 0, at most ${Math.floor(MOST / units[wrong][1])} ${units[wrong][0]}.` };
  if (!typed.every((of) => of.trim())) return null;
  const [weight, height] = typed.map((of, k) => measured(of, units[k]) * units[k][1]);
  const known = study.newcomers.find((of) => Math.abs(of.weight - weight) + Math.abs(of.height - height) < 0.001);
  const far = [["weight", weight, "lighter", "heavier"], ["height", height, "shorter", "taller"]].flatMap(([measure, value, less, more]) => {
    const all = study.samples.map((of) => of[measure]);
    return value < Math.min(...all) ? [less] : value > Math.max(...all) ? [more] : [];
  });
  const inputs = { x1: weight - study.shift[0], x2: height - study.shift[1] };
  return { name: known?.name ?? "you", weight, height, inputs, far, ypred: passAt(study, { ...parameters, ...inputs, y: 0 }).ypred };
}

function seen(study, state) {
  const training = trainingOf(study, state);
  const { round } = state;
  const parameters = training.path[round];
  const people = study.samples.map((of) => ({ ...of, ...passAt(study, { ...parameters, ...of.given }) }));
  return {
    ...training,
    round,
    parameters,
    rate: 10 ** state.power,
    loss: training.means[round],
    people: people.map((of) => ({ ...of, isRight: (of.ypred >= 0.5) === (of.y === 1) })),
    begins: study.drawn[state.start % study.drawn.length][0],
    asked: askedOf(study, parameters, state),
  };
}

// Names at the dots of the losses; those that are nearer than a line of text share one.
const named = (people, line) => people.toSorted((a, b) => a.L - b.L).reduce((before, { name, L }) => {
  const last = before.at(-1);
  return last && L - last.L < line ? before.with(-1, { L, name: `${last.name}, ${name}` }) : [...before, { L, name }];
}, []);

// L by rounds, and each person's own loss.
const curve = ({ losses, means, round, people }) => (width, height) => ({
  x: { type: "sqrt", domain: [0, ROUNDS], label: width < 300 ? "rounds" : "rounds (a square-root scale)", ticks: width < 300 ? [0, 100, ROUNDS] : [0, 10, 100, 300, 600, ROUNDS], tickFormat: String, ...AXIS },
  y: { domain: [0, 1], label: "L", ticks: 5 },
  ...MARGINS,
  marginRight: 18,
  marks: [
    Plot.ruleX([round], { className: "now" }),
    people.map((_, k) => Plot.line(losses.map((of, at) => [at, of[k]]), { className: "own" })),
    Plot.line(means.map((loss, at) => [at, loss]), { className: "curve" }),
    people.map(({ y }, k) => Plot.dot([[round, losses[round][k]]], { symbol: y ? "circle" : "square", r: 4, className: "person" })),
    Plot.dot([[round, means[round]]], { r: 6, className: "here" }),
    named(people, 16 / (height - MARGINS.marginTop - MARGINS.marginBottom)).map(({ name, L }) => Plot.text([[round, L]], { text: () => (width < 300 ? name.replace(/[a-z]+/g, "") : name), dy: -10, ...(round < 250 ? { textAnchor: "start", dx: 8 } : { textAnchor: "end", dx: -4 }), className: "name" })),
  ],
});

// From its lowest to its highest in the training, and half as much on each side.
function span(path, name) {
  const all = path.map((of) => of[name]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const half = Math.max(1.5, high - low);
  return [(low + high) / 2 - half, (low + high) / 2 + half];
}

// L over two of the numbers, where the others are what they are now; and the way of the training, seen from above.
function surface({ study, state, path, parameters }) {
  const [across, up] = state.over.split(" ");
  const [x, y] = [span(path, across), span(path, up)];
  // A little beyond the frame, so that no level runs along it.
  const [[x1, x2], [y1, y2]] = [x, y].map(([low, high]) => [low - (high - low) / GRID, high + (high - low) / GRID]);
  const at = (low, high, k) => low + ((high - low) * (k + 0.5)) / GRID;
  const results = [];
  const losses = Float64Array.from({ length: GRID * GRID }, (_, k) => {
    const there = { ...parameters, [across]: at(x1, x2, k % GRID), [up]: at(y1, y2, Math.floor(k / GRID)) };
    return study.samples.reduce((sum, { given }) => sum + run(study.forward, { ...there, ...given }, FLOATS, results)[study.forward.at.L], 0) / study.samples.length;
  });
  const way = path.map((of) => [of[across], of[up]]);
  const wide = { x1, x2, y1, y2, width: GRID, height: GRID, clip: true };
  return (width) => ({
    x: { domain: x, label: across, ticks: width / 60, ...AXIS },
    y: { domain: y, label: up, ticks: 5 },
    color: { type: "threshold", domain: LEVELS, range: COLOURS },
    ...MARGINS,
    marks: [
      Plot.contour(losses, { fill: (L) => L, thresholds: [-1, ...LEVELS], ...wide }),
      Plot.contour(losses, { value: (L) => L, fill: "none", stroke: "black", thresholds: LEVELS, className: "level", ...wide }),
      ["casing", "way"].map((className) => Plot.line(way, { className })),
      Plot.dot([way[0]], { r: 4, className: "begin" }),
      Plot.dot([[parameters[across], parameters[up]]], { r: 7, className: "here" }),
    ],
  });
}

const Picture = (of) => html`
  <${Plane} study=${of.study} parameters=${of.parameters} asked=${of.asked?.inputs ? [of.asked] : []} scale=${SCALE} />
  ${of.state.shows === "curve"
    ? html`<${Figure} key="curve" name="training" label=${`L and the loss of each person over ${ROUNDS} rounds at η = ${short(of.rate, 2)}. L goes from ${fixed(of.means[0])} to ${fixed(of.means.at(-1))}, and is ${fixed(of.loss)} after ${of.round}.`} options=${curve(of)} />`
    : html`<${Figure} key="surface" name="surface" label=${`L over ${both(of.state.over)}, and the way of the training on it. After ${of.round} rounds it is where L is ${fixed(of.loss)}.`} options=${surface(of)} scale=${LOSSES} />`}`;

function Controls({ state, set, round, rate, loss, means }) {
  const plays = () => {
    const from = round === ROUNDS ? 0 : stopOf(round);
    play(PLAY_MS * (1 - from / STOPS.high), (done) => set({ round: roundAt(Math.round(from + (STOPS.high - from) * done)) }));
  };
  return html`
    <${Handle} symbol="round" field=${STOPS} step="1" value=${stopOf(round)} shown=${round} text=${`${round}, L is ${fixed(loss)}`} onInput=${(stop) => set({ round: roundAt(stop) })} />
    <button type="button" onClick=${plays}>Train</button>
    <${Handle} symbol="η" field=${POWER} step="0.25" value=${state.power} shown=${short(rate, 2)} text=${`${short(rate, 2)}, L ends at ${fixed(means.at(-1))}`} onInput=${(power) => set({ power })} />
    <button type="button" onClick=${() => (halt(), set({ start: state.start + 1, round: 0 }))}>Another start</button>`;
}

function Words({ seen: of }) {
  const { state, set, round, people, begins, loss } = of;
  const right = people.filter(({ isRight }) => isRight).length;
  const isCurve = state.shows === "curve";
  return html`
    <p>Each round, for one person after the other, all nine numbers step against their slopes, by η times those. ${round ? `After ${round} ${round === 1 ? "round" : "rounds"}` : `They begin ${begins}:`} L is ${short(loss)}, ${right} of 4 are right.</p>
    ${isCurve
      ? html`<p>Thin lines are each person’s own loss. It may rise while L, their mean, falls.</p>`
      : html`<p><label>L over <select value=${state.over} onChange=${(event) => set({ over: event.target.value })}>${PAIRS.map((pair) => html`<option value=${pair}>${both(pair)}</option>`)}</select></label> is told by colours; the line is the way of the training. The other seven are held as they are now; on the way they change, too.</p>`}
    <button type="button" class="act" onClick=${() => set({ shows: isCurve ? "surface" : "curve" })}>${isCurve ? "Show the surface" : "Show the curve"}</button>
    <${Asks} ...${of} />
    <${Numbers} ...${of} />`;
}

// So many decimals as say something of a person.
const plain = (value) => String(Number(value.toFixed(1))).replace("-", "−");

const shiftedBy = (value, shift) => `${plain(value)} − ${shift} = ${plain(Number(value.toFixed(1)) - shift)}`;

// Weight and height of somebody else.
function Asks({ study, state, set, asked, round }) {
  const units = UNITS[state.unit];
  const other = state.unit === "kg" ? "lb" : "kg";
  // What was typed stays the same person.
  const turned = () => {
    const texts = MEASURES.map((measure, k) => {
      const value = measured(state[measure], units[k]);
      return [measure, value === null ? state[measure] : String(Number(((value * units[k][1]) / UNITS[other][k][1]).toPrecision(6)))];
    });
    set({ unit: other, ...Object.fromEntries(texts) });
  };
  return html`<fieldset class="asks">
    <legend>What does it say of you?</legend>
    ${MEASURES.map((measure, k) => html`<label>${measure} <input type="text" inputmode="decimal" autocomplete="off" size="5" maxlength="20" aria-invalid=${isWrong(state[measure], units[k]) ? "true" : null} value=${state[measure]} onInput=${(event) => set({ [measure]: event.target.value })} /> ${units[k][0]}</label>`)}
    <button type="button" class="act" onClick=${turned}>use ${UNITS[other].map(([name]) => name).join(" and ")}</button>
    <span class="tries">or try ${study.newcomers.map(({ name, weight, height }) => html`<button type="button" class="act" onClick=${() => set({ unit: "lb", weight: String(weight), height: String(height) })}>${name}</button>`)}</span>
    <p role="status">${asked?.wrong ?? (asked ? html`<strong>${verdict(asked.ypred)}.</strong> ${cautions(asked, round)}` : "")}</p>
    ${asked?.inputs && html`<p>${whole(`It gets ${shiftedBy(asked.weight, study.shift[0])} lb and ${shiftedBy(asked.height, study.shift[1])} in, shifted as in training: of large numbers σ would be flat.`)}</p>`}
  </fieldset>`;
}

function verdict(ypred) {
  const sure = Math.max(ypred, 1 - ypred);
  return `${sure > 0.995 ? "over 99" : fixed(100 * sure, 0)} % ${ypred >= 0.5 ? "woman" : "man"}`;
}

const cautions = ({ far }, round) => [round === 0 && "But it has not been trained yet.", far.length > 0 && `You would be ${far.join(" and ")} than all four: there it only guesses.`, "Four people are no basis to judge anybody by: this is arithmetic."].filter(Boolean).join(" ");

const Numbers = ({ study, people, parameters, losses, round }) => html`<details>
  <summary>The nine numbers, and who is right</summary>
  <p>${Object.entries(parameters).map(([name, value]) => html`<span class="quantity"><i>${name}</i> ${short(value, 8)}</span> `)}</p>
  <p>${people.map(({ name, y, ypred, isRight }, k) => html`${name}: ${short(ypred, 8)}, should be ${y}: ${isRight ? "right" : "wrong"}; loss ${short(losses[round][k], 4)}.<br />`)}</p>
  <p>${study.quantity.w1_new.reason} <code>${study.quantity.w1_new.where}</code></p>
  <p>More: ${section(study, "One step of descent")}.</p>
</details>`;

export const train = {
  key: "train",
  title: "Train",
  fields: { round: ROUND, power: POWER, start: count(), shows: choice(["curve", "surface"], "curve"), over: choice(PAIRS, PAIRS[0]), unit: choice(Object.keys(UNITS), "kg"), weight: text(), height: text() },
  seen,
  Picture,
  Controls,
  Words,
};
