// The training, run in the page by the hand-written lines: its losses, and what it leads to.

import { LARGEST, mean } from "../mathematics/mathematics.js";
import { short } from "../mathematics/numbers.js";
import { course, twins } from "../model/course.js";
import { UNDECIDED } from "../model/people.js";
import { orderSeed } from "../model/point.js";
import { EPOCHS, inputsSet, limits } from "../model/state.js";
import { choice } from "../parts/controls.js";
import { element, say, set } from "../parts/dom.js";
import { startOf } from "../parts/start.js";
import { boundary, hasBoundary } from "./boundary.js";
import { curve, sawtooth } from "./losses.js";

// The slider of η, in powers of ten; the field beside it takes what an address takes.
const POWERS = [-3, 1];

// What the numbers here depend on.
const SHOWN = new Set(["seed", "edits", "form", "eta", "epoch", "order", "mistake", "unit", "you"]);

export function training(place, store) {
  const { study } = store;
  const go = (epoch) => store.set({ epoch, edits: inputsSet(study, store.state) });
  const controls = [rate(store), startOf(store, "Start"), orderOf(store)].filter(Boolean);
  const title = element("p", { class: "title" });
  const lesson = element("p", { class: "lesson" });
  const scrub = scrubber(store, go);
  const parts = { curve: curve(store, go), sawtooth: sawtooth(store) };
  const plane = hasBoundary(study) ? boundary(store) : null;
  place.append(
    element("p", { class: "note" }, introduction(study)),
    ...controls.map((part) => part.node),
    title,
    scrub.node,
    element("div", { class: "losses" }, parts.curve.node, parts.sawtooth.node),
    ...parts.sawtooth.words,
    lesson,
    ...(plane ? [plane.node] : []),
  );

  return (state, point, changed) => {
    if (![...changed].some((key) => SHOWN.has(key))) return;
    for (const part of controls) part.update(state);
    scrub.update(state);
    const run = course(study, state);
    const loss = mean(run.lossesAt(point.given));
    say(title, heading(study, state, loss));
    parts.curve.update(state, run, loss);
    parts.sawtooth.update(state, run);
    plane?.update(state, point);
    const sentences = [failure(run, state, study.people !== null), ...symmetry(study, point.given)].filter(Boolean);
    say(lesson, sentences.join(" "));
    set(lesson, { hidden: sentences.length === 0 });
  };
}

function introduction(study) {
  const several = study.samples.length > 1;
  const turns = several
    ? `One update for each of the ${study.samples.length} samples is one epoch.`
    : "One update by the example is one epoch.";
  return [
    turns,
    "Every update is w ← w − η ∂L/∂w by the hand-written lines, run in this page.",
    "Go to any epoch, and the whole page stands there.",
  ].join(" ");
}

function heading(study, { epoch, edits }, loss) {
  const isEdited = study.parameters.some((name) => name in edits);
  const done = epoch === 0 ? `Before the first of ${EPOCHS} epochs` : `After ${epoch} of ${EPOCHS} epochs`;
  const is = Number.isFinite(loss) ? `mean loss ${short(loss)}` : "the loss is too large for a number";
  return `${done}${isEdited ? ", with your changes" : ""}: ${is}`;
}

// Where a training gets nowhere.
function failure({ ranAway, epochs, means }, { eta }, isOfPeople) {
  const smaller = "A smaller η helps.";
  if (ranAway) {
    const where = `after ${epochs} epochs a parameter grows beyond ${short(LARGEST)}`;
    return `With η = ${short(eta)} the training runs away: ${where}. ${smaller}`;
  }
  const end = means.at(-1);
  if (end < Math.min(means[0], isOfPeople ? UNDECIDED : Infinity)) return null;
  const last = Number.isFinite(end) ? short(end) : "one too large for a number";
  const way = `it begins at a mean loss of ${short(means[0])} and ends at ${last}`;
  return `With η = ${short(eta)} the training gets nowhere: ${way}. ${smaller}`;
}

// Units that do the same stay the same: what an equal start leads to.
function symmetry(study, given) {
  const symbol = (name) => study.quantity[name].symbol;
  return twins(study, given).map((group) => {
    const equal = group[0].parameters.map((name, k) => {
      const all = group.map(({ parameters }) => symbol(parameters[k]));
      return `${all.join(" = ")} = ${short(given[name])}`;
    });
    const units = group.map(({ a }) => symbol(a));
    return [
      `${units.slice(0, -1).join(", ")} and ${units.at(-1)} are equal for every input: ${equal.join(", ")}.`,
      "Equal units get equal updates, so they stay equal: in effect they are one unit.",
      "A random start tells them apart.",
    ].join(" ");
  });
}

function rate(store) {
  const [min, max] = limits(store.study).eta;
  const change = (value) => {
    if (value >= min && value <= max) store.set({ eta: value });
  };
  const slider = element("input", {
    type: "range",
    min: POWERS[0],
    max: POWERS[1],
    step: 0.01,
    "aria-label": "Learning rate η, on a logarithmic scale",
    oninput: () => change(Number((10 ** slider.valueAsNumber).toPrecision(3))),
  });
  const field = element("input", {
    type: "number",
    min,
    max,
    step: "any",
    "aria-label": "Learning rate η",
    onchange: () => change(field.valueAsNumber),
    onblur: () => (field.value = store.state.eta),
  });
  const node = element(
    "div",
    { class: "bar rate" },
    element("span", { class: "name", "aria-hidden": "true" }, "η"),
    slider,
    field,
  );
  return {
    node,
    update({ eta }) {
      if (document.activeElement !== field) field.value = eta;
      const power = Math.log10(eta);
      if (document.activeElement !== slider || Math.abs(slider.valueAsNumber - power) > 0.01) slider.value = power;
      set(slider, { "aria-valuetext": short(eta) });
    },
  };
}

function orderOf(store) {
  if (store.study.samples.length < 2) return null;
  const order = choice(store, "order", "Order in each epoch", [
    ["fixed", "fixed"],
    ["shuffled", "shuffled"],
  ]);
  const note = element("span", { class: "note" });
  order.node.append(note);
  return {
    node: order.node,
    update(state) {
      order.update(state);
      set(note, { hidden: state.order === "fixed" });
      say(note, `by seed ${orderSeed(state)}`);
    },
  };
}

function scrubber(store, go) {
  const button = (text, name, to) =>
    element(
      "button",
      { type: "button", class: "step", "aria-label": name, title: name, onclick: () => go(to(store.state.epoch)) },
      text,
    );
  const buttons = [
    button("|◀", "Before the first epoch", () => 0),
    button("◀", "An epoch back", (epoch) => Math.max(0, epoch - 1)),
    button("▶", "An epoch on", (epoch) => Math.min(EPOCHS, epoch + 1)),
    button("▶|", "After the last epoch", () => EPOCHS),
  ];
  const range = element("input", {
    type: "range",
    min: 0,
    max: EPOCHS,
    step: 1,
    "aria-label": "Epochs done",
    oninput: () => go(Number(range.value)),
  });
  const node = element("div", { class: "bar epochs", role: "group", "aria-label": "Epochs" }, buttons, range);
  return {
    node,
    update({ epoch }) {
      range.value = epoch;
      set(buttons[0], { disabled: epoch === 0 });
      set(buttons[1], { disabled: epoch === 0 });
      set(buttons[2], { disabled: epoch === EPOCHS });
      set(buttons[3], { disabled: epoch === EPOCHS });
    },
  };
}
