// The training, run in the page by the hand-written lines: its losses and its result.

import { mean } from "../mathematics/mathematics.js";
import { short } from "../mathematics/numbers.js";
import { course } from "../model/course.js";
import { orderSeed } from "../model/point.js";
import { EPOCHS, inputsSet, limits } from "../model/state.js";
import { choice, stepper } from "../parts/controls.js";
import { element, say, set } from "../parts/dom.js";
import { startOf } from "../parts/start.js";
import { play } from "./play.js";
import { boundary, hasBoundary } from "./training/boundary.js";
import { curve } from "./training/curve.js";
import { lessonOf } from "./training/lesson.js";
import { sawtooth } from "./training/sawtooth.js";

// The range of the slider of η, in powers of ten; the field beside it accepts more.
const POWERS = [-3, 1];

// Milliseconds between pictures while it plays, and epochs: some five seconds in all.
const [PACE, STRIDE] = [50, 10];

// The parts of the state that the numbers here depend on.
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
    scrub.show(state);
    if (![...changed].some((key) => SHOWN.has(key))) return;
    for (const part of controls) part.update(state);
    scrub.update(state);
    const run = course(study, state);
    const loss = mean(run.lossesAt(point.given));
    say(title, heading(study, state, run, loss));
    parts.curve.update(state, run, loss);
    parts.sawtooth.update(state, run);
    plane?.update(state, point);
    const words = lessonOf(study, state, run, point.given);
    say(lesson, words);
    set(lesson, { hidden: words === "" });
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

function heading(study, { epoch, edits }, run, loss) {
  const isEdited = study.parameters.some((name) => name in edits);
  const done = Math.min(epoch, run.epochs);
  const at = [
    `${done === 0 ? "Before the first" : `After ${done}`} of ${EPOCHS} epochs`,
    done < epoch && "where it broke off",
    isEdited && "with your changes",
  ];
  const no = Number.isNaN(loss) ? "the loss is not a number" : "the loss is too large for a number";
  return `${at.filter(Boolean).join(", ")}: ${Number.isFinite(loss) ? `mean loss ${short(loss)}` : no}`;
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
  const order = choice(store, "order", "Order in each epoch", [["fixed", "fixed"], ["shuffled", "shuffled"]]);
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

// From where it stands to the end, or to where it breaks off; at the end from the beginning.
function playEpochs(store, go) {
  const { epochs } = course(store.study, store.state);
  const last = Math.min(epochs + 1, EPOCHS);
  if (store.state.epoch >= last && store.state.playing !== "training") go(0);
  // What the reader changes meanwhile stops it.
  const seen = () => [...SHOWN, "view"].map((key) => store.state[key]);
  let left = seen();
  play(store, "training", PACE, () => {
    if (seen().some((value, k) => value !== left[k])) return true;
    go(Math.min(store.state.epoch + STRIDE, last));
    left = seen();
    return store.state.epoch === last;
  });
}

function scrubber(store, go) {
  const names = ["Before the first epoch", "An epoch back", "An epoch on", "After the last epoch"];
  const walk = stepper(names, EPOCHS, () => store.state.epoch, go);
  const range = element("input", {
    type: "range",
    min: 0,
    max: EPOCHS,
    step: 1,
    "aria-label": "Epochs done",
    oninput: () => go(Number(range.value)),
  });
  const player = element("button", { type: "button", class: "wide", onclick: () => playEpochs(store, go) });
  const buttons = [...walk.buttons.slice(0, 2), player, ...walk.buttons.slice(2)];
  const node = element("div", { class: "bar epochs", role: "group", "aria-label": "Epochs" }, buttons, range);
  return {
    node,
    show({ playing }) {
      const text = playing === "training" ? "pause" : "play";
      say(player, text);
      set(player, { "aria-label": `${text} the training` });
    },
    update({ epoch }) {
      range.value = epoch;
      walk.update(epoch);
    },
  };
}
