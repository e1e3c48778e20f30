// The micro-steps of the pass, forwards and backwards, and what the current one computes.

import { stepper } from "../parts/controls.js";
import { element, replace, say, set } from "../parts/dom.js";
import { math } from "../parts/formula.js";
import { lights } from "../parts/lights.js";
import { backTo, knownTo } from "../model/question.js";
import { AT_POINT } from "../model/point.js";
import { against, short } from "../mathematics/numbers.js";
import { witnessList } from "../parts/witnesses.js";
import { play } from "./play.js";

export const PHASES = { forward: "Forward", loss: "Loss", backward: "Backward", update: "Update" };

// Milliseconds between steps while it plays.
const PACE = 1400;

// A step with more quantities than this lays out only those in view.
const MANY = 12;

// Start or stop playing; at the end it starts again from the beginning.
export function playSteps(store) {
  const last = store.study.steps.length;
  if (store.state.step === last) store.set({ step: 0 });
  play(store, "steps", PACE, () => {
    if (store.state.step < last) store.set({ step: store.state.step + 1 });
    return store.state.step >= last;
  });
}

export function steps(place, store) {
  const { study } = store;
  const last = study.steps.length;
  const names = ["To the beginning (Home)", "Back (←)", "Forward (→)", "To the end (End)"];
  const walk = stepper(names, last, () => store.state.step, (step) => store.set({ step }));
  const player = element("button", { type: "button", class: "step wide", onclick: () => playSteps(store) }, "play");
  const scrubber = element("input", {
    type: "range",
    min: 0,
    max: last,
    step: 1,
    "aria-label": "Micro-step",
    oninput: () => store.set({ step: Number(scrubber.value) }),
  });
  const marks = element("ol", { class: "phases", "aria-hidden": "true" }, spans(study).map(({ phase, count }) => {
    const mark = element("li", { "data-phase": phase }, PHASES[phase]);
    mark.style.flexGrow = count;
    return mark;
  }));
  const off = offSteps(study);
  const title = element("p", { class: "title" });
  const reason = element("p", { class: "reason" });
  const list = element("div", { class: "list" });
  const witnessed = witnessList(list, study);
  const bar = element("div", { class: "bar", role: "group", "aria-label": "Steps" }, walk.buttons.slice(0, 2), player, walk.buttons.slice(2));
  place.append(bar, element("div", { class: "scrubber" }, scrubber, off.node, marks));
  const [way, product] = [soFar(study), upTo(study)];
  const now = document.getElementById("now");
  now.append(title, reason, list, way.node, product.node, reading());
  const light = lights(now, store);
  const live = document.getElementById("live");

  return (state, point, changed) => {
    const step = study.steps[state.step - 1];
    scrubber.value = state.step;
    set(place, { "data-phase": step?.phase });
    if (AT_POINT.some((key) => changed.has(key))) off.update(point);
    set(scrubber, { "aria-valuetext": `${heading(step, last)}${off.has(state.step) ? " · by hand is off" : ""}` });
    say(title, heading(step, last));
    say(reason, why(study, step, state));
    say(player, state.playing === "steps" ? "pause" : "play");
    walk.update(state.step);
    const isKnown = knownTo(study, state);
    set(list, { "data-many": (step?.names.length ?? 0) > MANY });
    witnessed(step?.names ?? [], point, isKnown);
    way.update(state, step, point, isKnown);
    product.update(state, step, point);
    light(state);
    for (const mark of marks.children) set(mark, { "data-now": mark.dataset.phase === step?.phase });
    if (changed.has("step") || changed.has("sample")) say(live, spoken(study, step, point, last, isKnown));
  };
}

// Marks at the scrubber, at each step in which a planted mistake makes a number by hand differ from the exact one.
function offSteps(study) {
  const node = element("div", { class: "offs", "aria-hidden": "true" });
  let found = [];
  const isOff = (point) => (name) => !against(point.by_hand[name], point.exact(name), point.ulps.by_hand[name] ?? null).isKept;
  return {
    node,
    has: (step) => found.includes(step),
    update(point) {
      found = point.wrong ? study.steps.filter(({ names }) => names.some(isOff(point))).map(({ number }) => number) : [];
      replace(node, found.map((step) => {
        const mark = element("span", { class: "off", "data-step": step, title: "By hand is off here" });
        mark.style.setProperty("--at", step / study.steps.length);
        return mark;
      }));
    },
  };
}

// On the way back: what is known by now of the derivative that is looked at.
function soFar(study) {
  const node = element("p", { class: "note so-far" });
  function update({ parameter }, step, point, isKnown) {
    const { name, mathml, factors } = study.quantity[study.gradients[parameter]];
    const isOnTheWay = step?.phase === "backward" && study.quantity[name].step > step.number && factors.some(isKnown);
    set(node, { hidden: !isOnTheWay });
    if (!isOnTheWay) return;
    const joined = (show) => multiplied(factors, (of, k) => (isKnown(of) ? show(of, k) : "…"));
    replace(node, "On the way to ", math(mathml.symbol), " = ", ...joined((of) => math(study.quantity[of].mathml.symbol)), " = ", ...joined((of, k) => factor(of, point, k)));
  }
  return { node, update };
}

const multiplied = (factors, show) => factors.flatMap((of, k) => [k > 0 && " · ", show(of, k)]).filter(Boolean);

// The number of a factor; a negative one behind others is in brackets.
function factor(name, { by_hand }, k) {
  const number = short(by_hand[name], 3);
  return element("span", { "data-place": name }, k > 0 && by_hand[name] < 0 ? `(${number})` : number);
}

// Above a unit of the network stands ∂L/∂z. Where no step computes it, it is said what it is: in the step that adds its
// last factor, and in the one that multiplies with it.
function upTo(study) {
  const { layers, edges } = study.drawing;
  const symbol = (name) => study.quantity[name].symbol;
  const units = layers.flat().filter(({ b }) => b);
  const node = element("p", { class: "note so-far" });
  function said({ z, a, b }, state, step, point) {
    const { factors, value } = backTo(study, state, point, b);
    const isNow = step && [Math.max(...factors.map((of) => study.quantity[of].step)), study.quantity[study.gradients[b]].step].includes(step.number);
    if (!isNow || value === null || factors.length < 2) return [];
    const sharing = [...edges.filter(({ to }) => to === z).map(({ parameter }) => parameter), b].map(symbol);
    const says = `Above ${symbol(a)} stands the product so far, which the slopes by ${sharing.slice(0, -1).join(", ")} and ${sharing.at(-1)} share: `;
    const product = multiplied(factors, (of) => math(study.quantity[of].mathml.symbol));
    return [says, element("span", { class: "one" }, `∂L/∂${symbol(z)}`), " = ", ...product, " = ", ...multiplied(factors, (of, k) => factor(of, point, k)), ` = ${short(value, 3)}. `];
  }
  return {
    node,
    update(state, step, point) {
      replace(node, units.flatMap((unit) => said(unit, state, step, point)));
      set(node, { hidden: !node.hasChildNodes() });
    },
  };
}

function spans(study) {
  const found = [];
  for (const { phase } of study.steps) {
    if (found.at(-1)?.phase === phase) found.at(-1).count += 1;
    else found.push({ phase, count: 1 });
  }
  return found;
}

const heading = (step, last) =>
  step
    ? `${step.number} of ${last} · ${PHASES[step.phase]} · ${step.title.replaceAll(" - ", " − ")}`
    : `0 of ${last} · Inputs, target and parameters are given; press → for the first sum`;

// Why the step computes what it does: of several quantities, that of the parameter that is looked at.
function why(study, step, { parameter }) {
  const found = (step?.names ?? []).map((name) => study.quantity[name]);
  return (found.find(({ derivative }) => derivative?.[1] === parameter) ?? found[0])?.reason ?? "";
}

// An explanation of the numbers.
function reading() {
  const words = [
    "Every number is there three times: by the chain rule by hand, by autodiff, and exactly. ✓ stands where by hand and autodiff have all digits that a computer can keep; elsewhere all three are shown.",
    "Autodiff is a program that differentiates the loss by itself: JAX's jax.grad, or, at numbers of your own, this page by the same rules. Exactly is what both should be: certified, between bounds that Python has proved, or computed by this page in 106 bits, twice as many as they have.",
    "An ulp is the distance between neighbouring numbers of that size, as a computer has them. A few are rounding. Struck out are digits that are lost: those that differ, where fewer than 15 are right.",
  ];
  return element("details", { class: "reading" }, element("summary", {}, "How to read these numbers"), words.map((text) => element("p", { class: "note" }, text)));
}

// What a screen reader says about a step.
function spoken(study, step, point, last, isKnown) {
  if (!step) return heading(step, last);
  const results = step.names.filter(isKnown).map((name) => `${study.quantity[name].symbol} is ${short(point.by_hand[name])}`);
  return `${heading(step, last)}. ${results.join(", ")}.`;
}
