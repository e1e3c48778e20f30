// The reader's own numbers, given to the network as it stands.

import { element, say, set } from "../parts/dom.js";
import { predictor } from "../mathematics/mathematics.js";
import { general, short } from "../mathematics/numbers.js";
import { MEASURES, UNITS, fromUnit, inUnit, inputsOf, label, outsideTrainingRange, probability } from "../model/people.js";
import { edited } from "../model/store.js";
import { EPOCHS } from "../model/point.js";
import { choice } from "../parts/controls.js";

export function you(place, store) {
  return store.study.people ? person(place, store) : example(place, store);
}

// Weight and height.
function person(place, store) {
  const { study } = store;
  const predictors = Object.fromEntries(
    Object.entries(study.programs).map(([form, program]) => [form, predictor(study, program)]),
  );
  const unit = choice(store, "unit", "Units", [
    ["lb", "lb and in"],
    ["kg", "kg and cm"],
  ]);
  const error = element("p", { class: "error", id: "you-error", role: "status" });
  const fields = MEASURES.map((measure) => field(measure));
  const [shift, says, warning] = ["shift", "answer", "warning"].map((name) => element("p", { class: name }));
  const train = element(
    "button",
    { type: "button", onclick: () => store.set({ epoch: EPOCHS, edits: {} }) },
    `train it for ${EPOCHS} epochs`,
  );
  const intro = element("p", { class: "note" });
  const untrained = element("p", { class: "note" }, "As yet the network is untrained. ", train);
  place.append(
    intro,
    element(
      "div",
      { class: "bar" },
      fields.map(({ node }) => node),
      unit.node,
    ),
    error,
    element("div", { "aria-live": "polite" }, says, warning),
    shift,
    untrained,
    element(
      "p",
      { class: "note" },
      "It has seen four people. Four people are no basis to judge anybody: ",
      "what it says of you is arithmetic, and nothing about you.",
    ),
  );

  function field(measure) {
    const name = element("span", { class: "name" });
    const input = element("input", {
      type: "text",
      inputmode: "decimal",
      size: 7,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": "you-error",
      onchange: read,
    });
    return { input, name, node: element("label", { "data-measure": measure }, `${measure} `, input, " ", name) };
  }

  // What stands in the fields, if it is a weight and a height.
  function read() {
    const texts = fields.map(({ input }) => input.value.trim());
    const numbers = texts.map((text) => (text === "" ? NaN : Number(text.replace(",", "."))));
    const isNone = texts.every((text) => text === "");
    const wrong = isNone ? null : mistakeIn(texts, numbers, store.state.unit);
    complain(wrong);
    store.set({ you: isNone || wrong ? null : fromUnit(numbers, store.state.unit) });
  }

  function complain(wrong) {
    say(error, wrong?.says ?? "");
    set(error, { hidden: !wrong });
    for (const [k, { input }] of fields.entries()) set(input, { "aria-invalid": wrong?.field === k ? "true" : null });
  }

  // In the unit; what was typed in the other one is written anew.
  function write({ unit: of, you: measured }) {
    const texts = measured ? inUnit(measured, of).map((value) => general(value, 6)) : null;
    for (const [k, { input }] of fields.entries()) {
      if (texts && document.activeElement !== input) input.value = texts[k];
    }
  }

  return (state, point, changed) => {
    if (!changed.has("you") && !state.you && !changed.has("unit")) return;
    unit.update(state);
    say(intro, introduction(state));
    for (const [k, { name }] of fields.entries()) say(name, UNITS[state.unit].names[k]);
    if (changed.has("you") || changed.has("unit")) write(state);
    const bad =
      state.you && mistakeIn(inUnit(state.you, state.unit).map(String), inUnit(state.you, state.unit), state.unit);
    if (state.you) complain(bad);
    const isThere = Boolean(state.you) && !bad;
    for (const node of [shift, says]) set(node, { hidden: !isThere });
    const outside = isThere ? outsideTrainingRange(study, state.you, state.unit) : [];
    set(warning, { hidden: outside.length === 0 });
    set(untrained, { hidden: !isThere || state.epoch > 0 });
    if (!isThere) return;
    const inputs = inputsOf(study, state.you);
    const [chance] = predictors[state.form](point.given, inputs);
    say(says, `${probability(chance)} ${label(chance)}`);
    say(shift, shifted(study, state, inputs));
    say(warning, outside.length ? `${capital(outside.join("; "))}. There the network only guesses.` : "");
  };
}

function introduction({ unit }) {
  const units = unit === "lb" ? "go in as lb and in, shifted" : "are converted to lb and in, then shifted";
  return [
    `Weight and height ${units} as in the training.`,
    "The network, as this page stands, answers with a probability of F.",
  ].join(" ");
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// What is wrong with what was typed, and in which field.
function mistakeIn(texts, numbers, unit) {
  const field = numbers.findIndex((number) => !(number > 0 && Number.isFinite(number)));
  if (field < 0) return null;
  const got = texts[field] === "" ? "nothing" : `“${texts[field].slice(0, 20)}”`;
  return {
    field,
    says: `${capital(MEASURES[field])}: got ${got}, expected a number above 0, in ${UNITS[unit].names[field]}.`,
  };
}

// x1 = 150 − 135 = 15, and so on.
function shifted(study, { you: measured, unit }, inputs) {
  const { names } = UNITS.lb;
  const [first, second] = study.drawing.inputs.map((name, k) => {
    const from = `${short(measured[k], 6)} ${names[k]}`;
    return `${study.quantity[name].symbol} = ${from} − ${study.people.shift[k]} ${names[k]} = ${short(inputs[name], 6)}`;
  });
  const converted = unit === "lb" ? "" : " (1 lb is 0.45359237 kg, 1 in is 2.54 cm)";
  return `${first}, ${second}${converted}`;
}

// What the losses on logits make of the outputs: probabilities.
const LINKS = {
  bce: (values) => values.map((value) => 1 / (1 + Math.exp(-value))),
  "softmax-ce": (values) => {
    const powers = values.map((value) => Math.exp(value - Math.max(...values)));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  },
};

// Another network's example: its inputs and targets can be set, and its outputs are shown.
function example(place, store) {
  const { study } = store;
  const { given } = study.samples[0];
  const error = element("p", { class: "error", id: "you-error", role: "status", hidden: true });
  const fields = Object.keys(given).map((name) => {
    const input = element("input", {
      type: "number",
      step: "any",
      "aria-describedby": "you-error",
      onchange: () => read(name, input),
    });
    return { name, input, node: element("label", {}, `${study.quantity[name].symbol} `, input) };
  });
  const isInput = ({ name }) => study.drawing.inputs.includes(name);
  const outputs = element("p", { class: "answer" });
  const undo = element("button", { type: "button", class: "quiet", onclick: reset }, "as given");
  place.append(
    element(
      "p",
      { class: "note" },
      "Give the network other inputs and targets; the whole page follows. ",
      "The training keeps the example as it was given.",
    ),
    element(
      "div",
      { class: "bar" },
      fields.filter(isInput).map(({ node }) => node),
    ),
    element(
      "div",
      { class: "bar" },
      fields.filter((field) => !isInput(field)).map(({ node }) => node),
      undo,
    ),
    error,
    outputs,
  );

  function reset() {
    const { edits } = store.state;
    complain(null);
    store.set({ edits: Object.fromEntries(Object.entries(edits).filter(([name]) => !(name in given))) });
  }

  function read(name, input) {
    const wrong = mistake(name, input);
    complain(wrong, input);
    if (!wrong) edited(store, name, input.valueAsNumber);
  }

  function mistake(name, input) {
    const symbol = study.quantity[name].symbol;
    if (!Number.isFinite(input.valueAsNumber)) return `${symbol}: expected a number.`;
    const isTarget = !study.drawing.inputs.includes(name);
    const isChance = study.about.loss in LINKS;
    const fits = input.valueAsNumber >= 0 && input.valueAsNumber <= 1;
    return isTarget && isChance && !fits
      ? `${symbol}: got ${input.value}, expected a number from 0 to 1 for ${study.about.loss}.`
      : null;
  }

  function complain(wrong, input) {
    say(error, wrong ?? "");
    set(error, { hidden: !wrong });
    for (const field of fields) set(field.input, { "aria-invalid": wrong && field.input === input ? "true" : null });
  }

  return (state, point) => {
    for (const { name, input } of fields) if (document.activeElement !== input) input.value = point.given[name];
    set(undo, { hidden: !Object.keys(state.edits).some((name) => name in given) });
    const values = study.outputs.map((name) => point.by_hand[name]);
    const chances = LINKS[study.about.loss]?.(values);
    const said = (name, k) =>
      `${study.quantity[name].symbol} = ${short(values[k])}${chances ? `, a probability of ${probability(chances[k])}` : ""}`;
    say(outputs, study.outputs.map(said).join("; "));
  };
}
