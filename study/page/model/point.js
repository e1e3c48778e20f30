// All numbers of the current pass, computed from the state.

import { decimal, distance } from "../mathematics/numbers.js";
import { byAutodiff, byHand, exactly, prepared, train } from "../mathematics/mathematics.js";
import { placesOf, plantable, planted } from "./mistakes.js";
import { RandomState } from "../mathematics/random.js";
import { sampleOrder } from "../mathematics/order.js";
import { EPOCHS, inputsSet } from "./state.js";

// The study from Python, prepared: programs converted, quantities by name.
export function opened(told) {
  const programs = {};
  for (const [form, program] of Object.entries(told.programs)) programs[form] = prepared(program);
  return {
    ...told,
    programs,
    quantity: Object.fromEntries(told.quantities.map((quantity) => [quantity.name, quantity])),
    mistakes: plantable(told.mistakes),
    groups: told.mistakes?.groups ?? {},
  };
}

// The start of the training: parameters from Python, or drawn from a seed.
function start(study, state) {
  if (state.seed === null) return study.starts[0].params;
  const random = new RandomState(state.seed);
  return Object.fromEntries(study.parameters.map((name) => [name, random.normal()]));
}

// The hand-written lines: the right ones, or those with the planted mistake.
const handProgram = (study, state) => planted(study, state)?.program(state.form) ?? study.programs[state.form];

// The inputs of each sample, as given or as set by the reader.
export const samplesOf = (study, state) =>
  study.samples.map((sample) => ({ ...constants(study), ...sample.given, ...inputsSet(study, state) }));

const kept = new Map();

// The chosen training; the last two are cached, with a mistake and without.
//
//   path   the parameters before and after each update
//   order  the index of the sample of each update
//   end    why it broke off, or null
export function training(study, state) {
  const { seed, form, eta, order: way } = state;
  const key = JSON.stringify([seed, form, eta, way, planted(study, state)?.slug, inputsSet(study, state)]);
  if (!kept.has(key)) {
    const samples = samplesOf(study, state);
    const order = sampleOrder(samples.length, EPOCHS, way === "shuffled" ? orderSeed(state) : null);
    if (kept.size === 2) kept.delete(kept.keys().next().value);
    kept.set(key, { order, ...train(study, handProgram(study, state), start(study, state), samples, order, eta) });
  }
  return kept.get(key);
}

// A start that is not drawn still needs a seed for shuffling.
export const orderSeed = (state) => state.seed ?? 0;

export const path = (study, state) => training(study, state).path;

// What the training's next update does at a point: whose it is, and how far it moves each parameter. None follows the last.
export function nextUpdate(study, state, given) {
  const { order, path: updates } = training(study, state);
  const next = order[Math.min(state.epoch * study.samples.length, updates.length - 1)];
  if (next === undefined) return null;
  const after = byHand(handProgram(study, state), { ...given, ...samplesOf(study, state)[next] });
  const moved = Object.entries(study.updates).map(([name, [parameter]]) => [parameter, after[name] - given[parameter]]);
  return { sample: study.samples[next], moved: Object.fromEntries(moved) };
}

// The current parameters: after so many epochs of training, with the reader's edits.
function parameters(study, state) {
  if (state.epoch === 0) return start(study, state);
  const updates = path(study, state);
  return updates[Math.min(state.epoch * study.samples.length, updates.length - 1)];
}

// The parts of the state that the point depends on.
export const AT_POINT = ["sample", "seed", "edits", "form", "eta", "epoch", "order", "mistake"];

// Why a quantity has no exact digits: a kink is met, or all of its digits cancel.
const NO_ONE = "no one value";
export const TOO_SMALL = "too small for 106 bits";

// Everything about the point, for the views.
//
//   given     what goes in, by name
//   by_hand, autodiff   float64 by name
//   exact     (name) -> its decimal digits, null where there are none
//   unknown   (name) -> why there are none
//   ulps      {by_hand, autodiff}: distances from the exact value
//   wrong     where a mistake is planted: the quantities of which the line itself is wrong, with its edits
//   certified whether exact values are Python's, between proved bounds; else the page's own
export function evaluate(study, state) {
  const { sample, given } = givenAt(study, state);
  const program = study.programs[state.form];
  const mistake = planted(study, state);
  const hand = { ...byHand(program, given), ...(mistake ? byHand(mistake.program(state.form), given) : {}) };
  const pass = mistake ? undefined : study.passes.find((of) => fits(of, state, given));
  const computed = pass ? certified(pass) : recomputed(study, program, given, hand);
  return { sample, given, wrong: mistake ? placesOf(study, mistake, state.form) : null, certified: Boolean(pass), ...computed };
}

export function givenAt(study, state) {
  const sample = study.samples.find((of) => of.key === state.sample);
  const given = { ...constants(study), [study.rate]: state.eta, ...parameters(study, state), ...sample.given, ...state.edits };
  return { sample, given };
}

// λ, where there is one: what is given and is neither parameter, sample nor η.
function constants(study) {
  const others = new Set([...study.parameters, study.rate, ...Object.keys(study.samples[0].given)]);
  return Object.fromEntries(Object.entries(study.passes[0].given).filter(([name]) => !others.has(name)));
}

const fits = (pass, state, given) =>
  pass.form === state.form && Object.entries(pass.given).every(([name, value]) => given[name] === value);

function certified(pass) {
  return {
    by_hand: { ...pass.given, ...pass.by_hand },
    autodiff: { ...pass.given, ...pass.autodiff },
    exact: (name) => pass.exact[name] ?? null,
    unknown: () => NO_ONE,
    ulps: { by_hand: pass.ulps_by_hand, autodiff: pass.ulps_autodiff },
  };
}

function recomputed(study, program, given, hand) {
  const autodiff = byAutodiff(study, program, given);
  const pairs = exactly(study, program, given);
  const ulps = { by_hand: {}, autodiff: {} };
  for (const { name, step } of study.quantities) {
    if (step === 0) continue;
    ulps.by_hand[name] = distance(hand[name], pairs[name]);
    ulps.autodiff[name] = distance(autodiff[name], pairs[name]);
  }
  const why = (name) => (Number.isNaN(pairs[name][0]) ? NO_ONE : TOO_SMALL);
  // Computed on demand: few of the digits are shown, and they are expensive.
  return { by_hand: { ...given, ...hand }, autodiff, exact: (name) => decimal(pairs[name]), unknown: why, ulps };
}

// How far this page is from Python: the largest relative difference of any number of any pass, by hand
// and exact. Not autodiff's: where it loses digits, the lost ones differ from one exp to another.
export function differenceFromPython(study) {
  let worst = { difference: 0, name: null, sample: null };
  let count = 0;
  for (const pass of study.passes) {
    const program = study.programs[pass.form];
    const [hand, exact] = [byHand(program, pass.given), exactly(study, program, pass.given)];
    for (const { name, step } of study.quantities) {
      if (step === 0) continue;
      const pairs = [[pass.by_hand[name], hand[name]]];
      if (pass.exact[name] !== null) pairs.push([Number(pass.exact[name]), exact[name][0]]);
      for (const [python, mine] of pairs) {
        const difference = relative(python, mine);
        count += 1;
        if (difference > worst.difference) worst = { difference, name, sample: pass.sample };
      }
    }
  }
  return { ...worst, count, passes: study.passes.length };
}

// Infinite where one of them is no number.
function relative(python, mine) {
  if (python === mine) return 0;
  const difference = Math.abs(mine - python) / Math.abs(python);
  return Number.isNaN(difference) ? Infinity : difference;
}
