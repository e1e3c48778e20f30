// The entries of a tape in signs and sentences.

import { short } from "../../mathematics/numbers.js";
import { counted } from "../../parts/words.js";
import { handed } from "../../model/tape.js";
import { partsOf } from "../../mathematics/mathematics.js";

// Five digits, as everywhere where digits are not the matter.
export const number = (value) => short(value, 5);

const INFIX = { "+": "+", "-": "−", "*": "·", "/": "/" };

// A result by its symbol, or by its number on the tape; a constant by its value.
export function named(study, tape, at) {
  const entry = tape.of.get(at);
  if (!entry) return number(tape.program.lines[at][2]);
  return entry.name ? study.quantity[entry.name].symbol : `#${entry.number}`;
}

// What is computed: w1 · x1, σ(z1), #16².
function formula(study, tape, { at, operation }) {
  const parts = partsOf(tape.program, at).map((part) => named(study, tape, part));
  if (operation in INFIX) return parts.join(` ${INFIX[operation]} `);
  if (operation === "neg") return `−${parts[0]}`;
  if (operation === "**") return parts[1] === "2" ? `${parts[0]}²` : `${parts[0]}^${parts[1]}`;
  return `${operation}(${parts.join(", ")})`;
}

// The rule of an operation, as one would say it.
const RULES = {
  "+": "A sum moves as much as each of its parts.",
  "-": "A difference moves with its first part, and against the second.",
  "*": "A product exchanges: the slope by each factor is the other one.",
  "/": "A quotient by its denominator has the slope −quotient / denominator.",
  "**": "The slope of a square is twice what is squared.",
  neg: "The opposite moves the other way.",
  exp: "e to a power is its own slope.",
  σ: "The slope of σ is σ (1 − σ): it needs the result alone.",
  tanh: "The slope of tanh is 1 − tanh²: it needs the result alone.",
};

// What happens in a step: a title, a sentence, and a line for each part.
//
//   slopes  before the step, of the loss; in forward mode after it, by the parameter
export function happens(study, tape, results, { step, isForward, slopes, isForgetful, parameter }) {
  const { computed } = tape;
  const last = isForward ? computed.length : 2 * computed.length;
  const name = (at) => named(study, tape, at);
  if (step === 0) {
    const title = `0 of ${last} · Given`;
    const moves = `${study.quantity[parameter].symbol} moves at the rate 1, everything else that is given at 0. `;
    return { title, says: `${isForward ? moves : ""}Nothing is computed yet; ▶ writes down the first operation.`, lines: [] };
  }
  const isBack = step > computed.length;
  const entry = computed[isBack ? 2 * computed.length - step : step - 1];
  const own = handed(tape, entry, results);
  const rule = RULES[entry.operation] ?? "It has a rule of its own.";
  const phase = isBack ? "Backward" : isForward ? "Forward mode" : "Forward";
  const title = `${step} of ${last} · ${phase} · #${entry.number}: ${whole(study, tape, entry)}`;
  if (isForward) {
    const terms = own.map(([part, slope], k) => `${k ? bracketed(slope) : number(slope)} · ${bracketed(slopes.get(part))}`);
    const lines = [`${terms.join(" + ")} = ${number(slopes.get(entry.at))}`];
    const others = study.parameters.length - 1;
    if (step === last) lines.push(`that is the slope of L by ${study.quantity[parameter].symbol}; the other ${others} take a pass each`);
    return { title, says: `${rule} So it moves by its slope by each part, times what that moves by:`, lines };
  }
  if (!isBack) {
    const lines = own.map(([part, slope]) => `its slope by ${name(part)} is ${number(slope)}`);
    return { title, says: `The value is computed, and its own derivative is written down. ${rule}`, lines };
  }
  const back = slopes.get(entry.at);
  const before = new Map(slopes);
  const lines = own.map(([part, slope]) => {
    const old = before.get(part);
    const how = isForgetful ? "; it wipes out" : ", added to";
    before.set(part, back * slope);
    return `${name(part)} gets ${number(back)} · ${bracketed(slope)} = ${number(back * slope)}${old === undefined ? "" : `${how} ${number(old)}`}`;
  });
  if (step === last && !isForgetful) lines.push(`now all slopes of L are there, by ${counted(study.parameters.length, "parameter")}, after one pass back`);
  const got = entry.at === tape.end ? "The slope of the loss by itself is 1." : `It has got ${number(back)}, all that it will get.`;
  return { title, says: `${got} That, times its own slope, goes on to each part. ${rule}`, lines };
}

const bracketed = (value) => (value < 0 ? `(${number(value)})` : number(value));

// Its name, if it has one, and what is computed.
export const whole = (study, tape, entry) =>
  [entry.name && named(study, tape, entry.at), formula(study, tape, entry)].filter(Boolean).join(" = ");
