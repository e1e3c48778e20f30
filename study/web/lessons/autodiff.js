// Autodiff: the hand's lines run, each operation is written on a tape, and its rows are gone back through by one rule each.

import { html } from "htm/preact";
import { count, whole } from "../fields.js";
import { givenFor } from "../math/network.js";
import { fixed } from "../math/numbers.js";
import { run, slopes } from "../math/program.js";
import { Drawing } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play } from "../parts/motion.js";

// The rows of the tape; the handle goes through them there and back.
const ROWS = 17;
const ROW = whole(1, 2 * ROWS, 4, ROWS);
const BACK_MS = 3500;
// The number that is used twice, as in "Two paths add".
const T = 0.05;
const USES = ["w1", "w3"];

// How an operation is written, and what it does with its slope on the way back.
const OPERATIONS = {
  "+": [([a, b]) => `${a} + ${b}`, "a sum hands its slope to both"],
  "-": [([a, b]) => `${a} − ${b}`, "a difference hands its slope on, with the other sign to what it took away"],
  "*": [([a, b]) => `${a} · ${b}`, "a product hands to each its slope times the other"],
  "**": [([a]) => `${a}²`, "a square hands on its slope times twice what it squared"],
  σ: [([a]) => `σ(${a})`, "σ hands on its slope times σ′"],
};

// The hand's lines by what they compute, and the slopes that undo each.
const UNDOING = { z1: ["dh1_dw1"], h1: ["dh1_dz1"], z2: ["dh2_dw3"], h2: ["dh2_dz2"], z3: ["dypred_dh1", "dypred_dh2"], ypred: ["dypred_dz3"], L: ["dL_dypred"] };

const asT = (text) => text.replace(/w[13](?!\d)/g, "t").replaceAll("-", "−");

// The operations from what goes in to L, in their order: their names, and which rows the parts of each are. t is −1; other
// numbers that go in have no row.
function written({ lines, at }) {
  const named = new Map(Object.entries(at).map(([name, line]) => [line, name]));
  const needed = new Map();
  const visit = (line) => {
    const [operation, operands, , called] = lines[line];
    if (!operands.length || needed.has(line)) return;
    const [as, parts] = called ?? [operation, operands];
    needed.set(line, { line, as, parts });
    parts.forEach(visit);
  };
  visit(at.L);
  const rows = [...needed.values()].sort((a, b) => a.line - b.line);
  rows.forEach((row, k) => (row.name = named.get(row.line) ?? `v${k + 1}`));
  const nameOf = (line) => rows.find((row) => row.line === line)?.name ?? named.get(line) ?? "";
  return rows.map(({ line, name, as, parts }) => ({
    line,
    name,
    as,
    text: asT(OPERATIONS[as][0](parts.map(nameOf))),
    use: USES.find((weight) => parts.includes(at[weight])),
    parts: parts.flatMap((part) => (USES.includes(named.get(part)) ? [-1] : rows.flatMap((row, k) => (row.line === part ? [k] : [])))),
  }));
}

let rows = null; // are the same for all states

function seen(study, { row, forget }) {
  rows ??= written(study.program);
  const results = run(study.program, givenFor(study, "alice", "lessons", { w1: T, w3: T }));
  const at = Object.fromEntries(rows.map(({ name, line }) => [name, line]));
  const back = slopes({ ...study.program, at: { ...study.program.at, ...at } }, results, "L");
  const isBack = row > ROWS;
  // The row that is written, or hands its slope on.
  const current = isBack ? 2 * ROWS - row : row - 1;
  const hasHanded = (k) => isBack && k >= current;
  const arrived = rows.flatMap(({ use }, k) => (use && hasHanded(k) ? [back[use]] : [])).reverse();
  return {
    isBack,
    current,
    hasHanded,
    isForgetful: forget % 2 === 1,
    arrived,
    slope: forget % 2 ? arrived.at(-1) : arrived.reduce((sum, of) => sum + of, 0),
    tape: rows.map(({ name, line, ...of }, k) => ({
      ...of,
      name,
      value: results[line],
      isWritten: isBack || k <= current,
      // Is known when it has come from the row that this one is a part of.
      slope: isBack && (k === ROWS - 1 || hasHanded(rows.findIndex(({ parts }) => parts.includes(k)))) ? back[name] : null,
    })),
  };
}

// From row to row, by a bow to the left.
function Bow({ x, from, to, wide, name }) {
  const bow = 10 + wide * Math.min(1, Math.abs(to - from) / 240);
  return html`<g class=${`bow ${name}`}><path d=${`M${x},${from}C${x - bow},${from} ${x - bow},${to} ${x},${to}`} /><polygon points=${`${x + 3},${to} ${x - 5},${to - 4} ${x - 5},${to + 4}`} /></g>`;
}

// The hand's lines, each as high as its rows; on the way back what one has derived to undo it.
function Hand({ study, isBack, current, arrived, y, left }) {
  let begin = 0;
  return Object.entries(UNDOING).map(([name, undoing]) => {
    const end = rows.findIndex((row) => row.name === name);
    const [first, middle] = [begin, (y(begin) + y(end)) / 2];
    begin = end + 1;
    const kind = first <= current && current <= end ? "now" : !isBack && current < first ? "later" : "";
    return html`<g class=${`line ${kind}`}>
      <line class="zero" x1=${left - 8} x2=${left - 8} y1=${y(first) - 8} y2=${y(end) + 8} />
      <text x="0" y=${middle + 5}>${name} = ${asT(study.quantity[name].formula)}</text>
      ${isBack && current <= end && undoing.map((slope, k) => html`<text class="back small" x="212" y=${middle + 5 + 18 * (k - (undoing.length - 1) / 2)}>${asT(`${study.quantity[slope].symbol} = ${study.quantity[slope].formula}`)}</text>`)}
    </g>`;
  }).concat(arrived.length === 2 && ["dL_dw1", "dL_dw3"].map((slope, k) => html`<text class="back small" x="0" y=${y(-1) - 3 + 16 * k}>${k ? "+" : "∂L/∂t ="} ${asT(study.quantity[slope].formula)}</text>`));
}

// Where there is no room for all of them: the one that runs.
function HandNow({ study, isBack, current }) {
  const name = Object.keys(UNDOING).find((of) => rows.findIndex((row) => row.name === of) >= current);
  const of = study.quantity[isBack ? UNDOING[name][0] : name];
  return html`<text class=${isBack ? "back small" : "small"} x="0" y="15"><tspan class="what">by hand: </tspan>${asT(`${of.symbol} = ${of.formula}`)}</text>`;
}

function Tape(of) {
  const { tape, isBack, current, hasHanded, arrived, slope, isForgetful, width, height } = of;
  const top = 24;
  const deep = Math.max(19, (height - top) / (ROWS + 1));
  // All of the hand's lines stand beside all rows, or the one that runs above as many as there is room for.
  const isWide = width >= 760 && deep > 19;
  const left = isWide ? width - Math.min(430, width - 430) : 0;
  const [x, end] = [left + (isWide ? 46 : 36), Math.min(left + 460, width - 8)];
  const values = end - (isWide ? 76 : 66);
  // Those that are seen below t, the current one among them.
  const fit = Math.min(ROWS, Math.floor((height - top) / deep) - 1);
  const first = Math.max(0, Math.min(ROWS - fit, current - (isBack ? 4 : fit - 2)));
  const y = (k) => top + deep * (k < 0 ? 0.5 : k - first + 1.5);
  const isIn = (k) => k < 0 || (first <= k && k < first + fit);
  return html`
    ${isWide
      ? html`<text class="what" x="0" y="13">by hand</text><text class="what" x=${x} y="13">the tape</text><text class="what" x=${values} y="13" text-anchor="end">value</text><text class="back" x=${end} y="13" text-anchor="end">slope</text><${Hand} ...${of} y=${y} left=${left} />`
      : html`<${HandNow} ...${of} />`}
    <rect class=${isBack ? "row back" : "row"} x=${x - 6} y=${y(current) - deep / 2 + 1} width=${end - x + 13} height=${deep - 2} rx="5" />
    <text class="symbol" x=${x} y=${y(-1) + 5}>t</text>
    <text class="number" x=${values} y=${y(-1) + 5} text-anchor="end">${fixed(T)}</text>
    ${arrived.length > 0 && html`<text class="back" x=${end} y=${y(-1) + 5} text-anchor="end">${fixed(slope)}</text>`}
    ${arrived.length > 1 && html`<text class="back small" x=${x + 14} y=${y(-1) + 5}><tspan class=${isForgetful ? "gone" : ""}>${fixed(arrived[0])}</tspan> ${isForgetful ? fixed(arrived[1]) : fixed(arrived[1]).replace("−", "− ")}</text>`}
    ${tape.map(({ parts, isWritten }, k) => isWritten && isIn(k) && parts.filter(isIn).map((part) => {
      const kind = `${hasHanded(k) ? "back" : "forward"} ${k === current ? "now" : ""}`;
      return html`<${Bow} x=${x - 9} wide=${isWide ? 44 : 26} from=${y(hasHanded(k) ? k : part)} to=${y(hasHanded(k) ? part : k)} name=${kind} />`;
    }))}
    ${tape.map(({ name, text, value, slope: known, isWritten }, k) => isIn(k) && (!isWritten ? html`<line class="slot" x1=${x} x2=${end} y1=${y(k) + 5} y2=${y(k) + 5} />` : html`
      <text x=${x} y=${y(k) + 5}><tspan class="symbol">${name}</tspan> = ${text}</text>
      <text class="number" x=${values} y=${y(k) + 5} text-anchor="end">${fixed(value)}</text>
      ${known !== null && html`<text class="back" x=${end} y=${y(k) + 5} text-anchor="end">${fixed(known)}</text>`}`))}`;
}

const described = ({ tape, isBack, current, slope, arrived }) => {
  const { name, text } = tape[current];
  return isBack ? `Back at row ${current + 1}, ${name} = ${text}. ${arrived.length ? `∂L/∂t is ${fixed(slope)} so far.` : ""}` : `The tape has ${current + 1} rows, the last ${name} = ${text}.`;
};

const Picture = (of) => html`<${Drawing} name="tape" label=${described(of)}>${(width, height) => html`<${Tape} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state: { row }, set, guessed, isBack, current, ...of }) => html`
  <${Handle} symbol="rows" field=${ROW} until=${guessed ? ROW.high : ROW.until} step="1" value=${row} shown=${isBack ? `${row - ROWS} back` : `${row}`} text=${described({ isBack, current, ...of })} onInput=${(to) => set({ row: to })} />`;

const goesBack = (_, set) => play(BACK_MS, (done) => set({ row: ROWS + Math.round(ROWS * done) }));

export const autodiff = {
  key: "autodiff",
  title: "Autodiff",
  about: "dL_dw1",
  section: "Backwards",
  fields: { row: ROW, forget: count() },
  seen,
  Picture,
  Controls,
  says: () => ["Alice, and t in two places again. While the lines by hand run, autodiff writes each operation on a tape, with its number. Drag."],
  guess: {
    asks: "The tape is all that it keeps. How will it find ∂L/∂t?",
    options: { formula: "formula", rows: "row by row", nudge: "nudge t" },
    right: () => "rows",
    plays: goesBack,
  },
  answer: ({ tape, isBack, current, arrived, slope, isForgetful }) => [
    "It has one rule for each operation, and hands slopes back from row to row: the same chain rule, backwards.",
    isBack ? `${tape[current].name} = ${tape[current].text}: ${OPERATIONS[tape[current].as][1]}.` : "Drag on, and it goes back.",
    ...(arrived.length < 2
      ? []
      : isForgetful
        ? [`Now what arrives second at t replaces what was there: one path of two is left, ${fixed(slope)}, and nothing looks wrong.`]
        : [`t was used twice, so what arrives is added to what is there (+= in code): ∂L/∂t is ${fixed(slope)}.`]),
    "By hand one derives a formula for each slope first. Autodiff never has one: only this pass, as it was computed.",
  ],
  act: ({ isForgetful, state, set }) => [isForgetful ? "Add again" : "Forget to add", () => (set({ forget: state.forget + 1 }), goesBack(state, set))],
};
