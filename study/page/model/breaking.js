// Run the checks of a planted mistake, from the weakest evidence to the strongest, then the updates,
// which no gradient check covers. As in compare/breaking.py, at the point that the reader has chosen.
//
// A check is {sees, says}: whether it sees the mistake, null where it cannot tell, and a sentence without
// its full stop.

import { DOUBLED } from "../mathematics/doubled.js";
import { STEP, Slice } from "../mathematics/difference.js";
import { byHand, losses, lossSlopes, mean, partOf, predictor, run } from "../mathematics/mathematics.js";
import { UNIT, inUlps, short, ulp } from "../mathematics/numbers.js";
import { UNDECIDED, inputsOf, label, measuresOf } from "./people.js";
import { givenAt, path, samplesOf } from "./point.js";
import { EPOCHS } from "./state.js";
import { BOUNDED } from "../mathematics/rounding.js";

// The absolute and relative tolerance of the quotient: the default of `jax.test_util.check_grads` for float64. It must be
// far larger than the quotient's error, or right gradients would fail where the loss is steep or large.
const TOLERANCE = 1e-5;

// ---- The training

// The first two checks: the outcome of the training, and its final loss.
export function checksOfTraining(study, state, right = path(study, { ...state, mistake: null })) {
  const planted = path(study, state);
  const full = study.samples.length * EPOCHS + 1;
  const ranAway = planted.length < full;
  const both = [planted.at(-1), right.at(-1)];
  const isComparable = right.length === full;
  const epoch = Math.floor((planted.length - 1) / study.samples.length) + 1;
  return {
    outcome: outcome(study, state, both, ranAway && epoch),
    training: training(study, state, [planted[0], ...both], ranAway && epoch, isComparable),
  };
}

function outcome(study, state, both, ranAway) {
  if (ranAway) return { sees: true, says: `the training runs away in epoch ${ranAway}: no answer comes of it` };
  const predicts = both.map(predictor(study, study.programs[state.form]));
  const people = [...study.people.trained, ...study.people.newcomers].map((person) => {
    const [answer, right] = predicts.map((predict) => predict(inputsOf(study, measuresOf(person)))[0]);
    return { name: person.name, answer, right };
  });
  const wrong = people.filter(({ answer, right }) => label(answer) !== label(right));
  if (wrong.length) {
    const said = wrong.map(({ name, answer, right }) => [name, `${label(answer)} instead of ${label(right)}`]);
    return { sees: true, says: grouped(said) };
  }
  // Eight digits: there are mistakes that show in the seventh.
  const newcomers = people.slice(study.people.trained.length);
  const says = newcomers.map(({ name, answer, right }) => `${name} ${answer.toFixed(8)} (right: ${right.toFixed(8)})`);
  return { sees: false, says: `no label changes: ${says.join(", ")}` };
}

function training(study, state, [start, planted, right], ranAway, isComparable) {
  if (ranAway) return { sees: true, says: `the training runs away in epoch ${ranAway}` };
  const lossesAt = losses(study, study.programs[state.form], samplesOf(study, state));
  const [before, end, rightEnd] = [start, planted, right].map((params) => mean(lossesAt(params)));
  const isStuck = end >= UNDECIDED;
  const how = isStuck ? "no better than always answering one half" : "which looks like learning";
  return {
    // If the right training has not learned either, a high loss is no sign of a mistake.
    sees: isStuck && isComparable && rightEnd < UNDECIDED,
    says: `the loss goes from ${short(before)} to ${short(end)}, ${how} (right: to ${short(rightEnd)})`,
  };
}

// ---- The point

// Every derivative of every person's loss at the parameters of the point, by hand with the mistake and
// by every check.
//
// Returns for each sample {sample, rows}; a row is of one parameter: `hand`, `exact` (a pair), `ulps`,
// `allowed`: how many of them rounding can make, `isKnown`: whether there is a right value to hold it
// against, and `seen`: by which checks.
export function judged(study, state, point, mistake) {
  const programs = ownParts(study, state.form);
  return study.samples.map((sample) => {
    const given = { ...point.given, ...sample.given };
    const hand = byHand(mistake.program(state.form), given);
    const right = run(programs.lines, given, BOUNDED);
    const auto = lossSlopes(study, programs.loss, given);
    const loose = lossSlopes(study, programs.loss, given, BOUNDED);
    const exact = lossSlopes(study, programs.loss, given, DOUBLED, true);
    const rows = study.parameters.map((parameter) => {
      const gradient = study.gradients[parameter];
      return row(study, given, {
        parameter,
        hand: hand[gradient],
        auto: auto[parameter],
        exact: exact[parameter],
        quotient: programs.slice.hold(given, parameter).central(STEP).slope,
        // The rounding errors of the right hand lines and of autodiff.
        bounds: [right[programs.lines.at[gradient]][1], loose[parameter][1]],
        moved: hand[programs.updates[parameter]],
      });
    });
    return { sample, rows };
  });
}

const parts = new WeakMap();

function ownParts(study, form) {
  const program = study.programs[form];
  if (!parts.has(program)) {
    parts.set(program, {
      lines: partOf(program, Object.values(study.gradients)),
      loss: partOf(program, [study.loss]),
      slice: new Slice(study, program),
      updates: Object.fromEntries(Object.entries(study.updates).map(([name, [parameter]]) => [parameter, name])),
    });
  }
  return parts.get(program);
}

function row(study, given, { parameter, hand, auto, exact, quotient, bounds, moved }) {
  const [ofHand, ofAuto] = bounds;
  const rate = given[study.rate];
  const expected = given[parameter] - rate * auto;
  // Both sides round a product and a difference.
  const ofUpdate = rate * (ofHand + ofAuto) + 4 * UNIT * (Math.abs(rate * auto) + Math.abs(expected));
  const isKnown = [auto, exact[0], ofHand, ofAuto].every(Number.isFinite);
  // Written so that NaN fails the comparison.
  const beyond = (a, b, bound) => isKnown && !(Math.abs(a - b) <= bound);
  const off = Math.abs(hand - exact[0] - exact[1]);
  return {
    parameter,
    hand,
    exact,
    isKnown,
    ulps: off / ulp(exact[0]),
    allowed: ofHand / ulp(exact[0]),
    seen: {
      difference: beyond(hand, quotient, TOLERANCE * (1 + Math.abs(quotient))),
      autodiff: beyond(hand, auto, ofHand + ofAuto),
      exact: isKnown && !(off <= ofHand),
      update: beyond(moved, expected, ofUpdate),
    },
  };
}

// The other four checks, from the result of `judged`.
export function checksOfPoint(study, people) {
  if (!people.some(({ rows }) => rows.some((of) => of.isKnown))) {
    const nothing = { sees: null, says: "the numbers of this point are too large to check anything" };
    return { difference: nothing, autodiff: nothing, exact: nothing, update: nothing };
  }
  const found = (name, what) => {
    const said = people.map(({ sample, rows }) => {
      const seen = rows.filter((of) => of.seen[name]);
      return [sample.name, disagreeing(study, seen, what)];
    });
    const wrong = said.filter(([, says]) => says);
    const isWhole = people.every(({ rows }) => rows.every((of) => of.isKnown)); // nothing is left out
    return { sees: wrong.length > 0, says: wrong.length ? grouped(wrong) : agreeing(people, what), isWhole };
  };
  const derivatives = ["derivative", "derivatives", "by"];
  return {
    difference: found("difference", derivatives),
    autodiff: found("autodiff", derivatives),
    exact: withDistance(study, people, found("exact", derivatives)),
    update: found("update", ["update", "updates", "of"]),
  };
}

function agreeing(people, [, several]) {
  const rows = people.flatMap((of) => of.rows);
  const known = rows.filter((of) => of.isKnown).length;
  return known === rows.length
    ? `all ${people[0].rows.length} ${several} of all ${people.length} people agree`
    : `the ${known} of ${rows.length} ${several} that can be checked agree; the others are too large`;
}

function disagreeing(study, rows, [one, several, link]) {
  if (rows.length === 0) return null;
  if (rows.length === study.parameters.length) return `all ${rows.length} ${several} disagree`;
  const names = rows.map((of) => study.quantity[of.parameter].symbol).join(", ");
  return rows.length === 1 ? `the ${one} ${link} ${names} disagrees` : `the ${several} ${link} ${names} disagree`;
}

// The largest error.
function withDistance(study, people, check) {
  if (!check.sees) return check;
  const all = people.flatMap(({ sample, rows }) => rows.map((of) => ({ ...of, name: sample.name })));
  const rows = all.filter((of) => of.seen.exact);
  const far = rows.find((of) => Number.isNaN(of.ulps)) ?? rows.reduce((a, b) => (b.ulps > a.ulps ? b : a));
  const { symbol } = study.quantity[study.gradients[far.parameter]];
  return { ...check, says: `${check.says}; ${far.name}'s ${symbol} ${distance(far)}` };
}

function distance({ ulps, exact, allowed }) {
  if (Number.isNaN(ulps)) return "is not a number";
  if (exact[0] === 0) return "is not 0, as it has to be";
  return `is ${inUlps(ulps)} ulps off, and rounding makes at most ${inUlps(Math.ceil(allowed))}`;
}

// List descriptions with the people they apply to; people who share one are named together.
function grouped(said) {
  const people = new Map();
  for (const [name, what] of said) people.set(what, [...(people.get(what) ?? []), name]);
  return [...people].map(([what, names]) => `${what}: ${names.join(", ")}`).join("; ");
}

// ---- The judge

// What handgrad's judge says of a mistake in `compare break`: it looks at the gradient alone, at the start of the
// training, for all people at once. Returns {verdict, why}.
export function judgement(study, state, mistake) {
  if (mistake.kind === "training") {
    return { verdict: "agree", why: "it judges gradients, and this one is right at every point; what is wrong is what the training does with it" };
  }
  if (!mistake.changes) {
    return mistake.judge === "imprecise"
      ? { verdict: "imprecise", why: "nothing is derived wrongly, but digits are lost" }
      : { verdict: mistake.judge, why: "it calls the gradient twice, and the second answer is another one" };
  }
  const start = { ...state, edits: {}, epoch: 0, mistake: mistake.slug };
  const rows = judged(study, start, givenAt(study, start), mistake).flatMap((of) => of.rows);
  if (!rows.every((of) => of.isKnown)) return { verdict: "unknown", why: "the numbers here are too large for this page to say what it says" };
  return rows.some((of) => of.seen.exact)
    ? { verdict: "disagree", why: "it holds every derivative against certified bounds" }
    : { verdict: "agree", why: "at the start of this training the gradient is right for all people, and it judges the points that it is given" };
}

// ---- The lesson

const OF_GRADIENTS = ["difference", "autodiff", "exact"];

const NO_PROOF = "Agreement at some points is no proof for all; take other parameters.";

// One or a few sentences: which checks miss the mistake, and why that matters.
export function lesson(mistake, checks, names) {
  const blind = Object.keys(checks).filter((name) => checks[name].sees === false);
  const isBlind = (name) => blind.includes(name);
  if (checks.exact.sees === null) return "At this point no gradient can be checked: take other parameters.";
  if (blind.length === 0) {
    return "Every check sees it: so coarse a mistake shows in the outcome. Where it is, the outcome does not say.";
  }
  if (blind.length === Object.keys(checks).length) {
    return `No check sees it here: it shows at none of the points that they look at. ${NO_PROOF}`;
  }
  const weak =
    isBlind("outcome") && isBlind("training")
      ? "Right answers and a falling loss are weak evidence: four people can be learned with many a mistake."
      : isBlind("outcome")
        ? "Right answers are weak evidence: four people can be learned with many a mistake."
        : isBlind("training") && "A loss that falls is weak evidence: many a mistake still goes downhill.";
  const why = [weak, isBlind("exact") ? rightHere(mistake, checks.exact) : blindBesideExact(isBlind)];
  return [`Blind: ${blind.map((name) => names[name]).join(", ")}.`, ...why.filter(Boolean)].join(" ");
}

const rightHere = (mistake, { isWhole }) =>
  mistake.kind === "training"
    ? "The gradient is right at every point: whoever checks gradients alone does not learn what the training " +
      "does with them."
    : !isWhole
      ? NO_PROOF
      : "At this point the gradient is right; the training comes to points where it is wrong, and a check of " +
        "gradients knows only the points it is given.";

function blindBesideExact(isBlind) {
  const [isQuotient, isAutodiff] = OF_GRADIENTS.map(isBlind);
  return [
    isQuotient && "The difference quotient is too coarse: what is wrong hides within its tolerance.",
    isAutodiff && "Autodiff has lost the digits in which the mistake shows: agreement of two is not truth.",
  ].filter(Boolean).join(" ");
}
