// Weight and height of the reader, given to the network as it stands.

import { predictor } from "../../mathematics/mathematics.js";
import { general, short } from "../../mathematics/numbers.js";
import { MEASURES, UNITS, fromUnit, inUnit, inputsOf, label, outsideTrainingRange, probability } from "../../model/people.js";
import { EPOCHS } from "../../model/state.js";
import { choice } from "../../parts/controls.js";
import { element, hide, say, set } from "../../parts/dom.js";
import { capital } from "../../parts/words.js";
import { boundary } from "../training/boundary.js";

export function person(place, store) {
  const { study } = store;
  const predictors = Object.fromEntries(
    Object.entries(study.programs).map(([form, program]) => [form, predictor(study, program)]),
  );
  const unit = choice(store, "unit", "Units", [["lb", "lb and in"], ["kg", "kg and cm"]]);
  const entry = fieldsOf(store);
  const [shift, says, warning] = ["shift", "answer", "warning"].map((name) => element("p", { class: name }));
  const train = element(
    "button",
    { type: "button", onclick: () => store.set({ epoch: EPOCHS, edits: {} }) },
    `train it for ${EPOCHS} epochs`,
  );
  const intro = element("p", { class: "note" });
  const untrained = element("p", { class: "note" }, "As yet the network is untrained. ", train);
  // Where there is room for it.
  const plane = boundary(store);
  const about = element(
    "p",
    { class: "note" },
    "It has seen four people. Four people are no basis to judge anybody: ",
    "what it says of you is arithmetic, and nothing about you.",
  );
  place.append(
    intro,
    element("div", { class: "bar" }, entry.fields, unit.node),
    entry.error,
    element("div", { "aria-live": "polite" }, says, warning),
    shift,
    untrained,
    about,
    plane.node,
  );

  return (state, point, changed) => {
    plane.update(state, point);
    if (!changed.has("you") && !state.you && !changed.has("unit")) return;
    unit.update(state);
    entry.update(state, changed);
    say(intro, introduction(state));
    const isThere = Boolean(state.you) && state.you.every(isMeasure);
    for (const node of [shift, says]) set(node, { hidden: !isThere });
    const outside = isThere ? outsideTrainingRange(study, state.you, state.unit) : [];
    set(warning, { hidden: outside.length === 0 });
    hide(untrained, !isThere || state.epoch > 0, entry.first);
    if (!isThere) return;
    const inputs = inputsOf(study, state.you);
    const [chance] = predictors[state.form](point.given)(inputs);
    say(says, `${probability(chance)} ${label(chance)}`);
    say(shift, shifted(study, state, inputs));
    say(warning, outside.length ? `${capital(outside.join("; "))}. There the network only guesses.` : "");
  };
}

const isMeasure = (value) => value > 0 && Number.isFinite(value);

// The beginning of a number: 0, 0. or 1e
const isBegun = (text) => /^(0*[.,]?0*|[\d.,]+e[-+]?)$/i.test(text);

const numberIn = (text) => (text === "" ? NaN : Number(text.replace(",", ".")));

// The two fields, and the error of what was typed into them.
function fieldsOf(store) {
  const error = element("p", { class: "error", id: "you-error", role: "status" });
  const fields = MEASURES.map((measure) => {
    const name = element("span", { class: "name" });
    const input = element("input", {
      type: "text",
      inputmode: "decimal",
      size: 7,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": "you-error",
      oninput: () => read(input),
      onblur: () => {
        field.isVisited = true;
        complain();
      },
    });
    const node = element("label", { "data-measure": measure }, `${measure} `, input, " ", name);
    const field = { input, name, node, isVisited: false };
    return field;
  });
  const texts = () => fields.map(({ input }) => input.value.trim());
  let isTyping = false; // what changes then comes from the fields themselves
  let written = store.state.unit; // the unit of what stands in them

  function read(typed) {
    const numbers = texts().map(numberIn);
    isTyping = true;
    store.set({ you: numbers.every(isMeasure) ? fromUnit(numbers, store.state.unit) : null });
    isTyping = false;
    complain(typed);
  }

  // Not about fields that have not been visited yet, nor while both are empty, nor about what is `typed` and may
  // become a number.
  function complain(typed) {
    const all = texts();
    const isNone = all.every((text) => text === "");
    const wrong = isNone
      ? -1
      : all.findIndex((text, k) => (text !== "" || fields[k].isVisited) && !isMeasure(numberIn(text)) && !(fields[k].input === typed && isBegun(text)));
    const got = all[wrong] === "" ? "nothing" : `“${all[wrong]?.slice(0, 20)}”`;
    const expected = `expected a number above 0, in ${UNITS[store.state.unit].names[wrong]}`;
    say(error, wrong < 0 ? "" : `${capital(MEASURES[wrong])}: got ${got}, ${expected}.`);
    set(error, { hidden: wrong < 0 });
    fields.forEach(({ input }, k) => set(input, { "aria-invalid": k === wrong ? "true" : null }));
  }

  // Show the measures of the state in the chosen unit; without any, convert what has been typed.
  function write({ unit, you }, isNew) {
    const numbers = you ?? (isNew ? [] : fromUnit(texts().map(numberIn), written));
    const inside = inUnit(numbers, unit);
    fields.forEach(({ input }, k) => {
      if (numbers.length === 0) input.value = "";
      else if (you || isMeasure(numbers[k])) input.value = general(inside[k], 6);
    });
    // Emptied fields count as not visited.
    if (numbers.length === 0) for (const field of fields) field.isVisited = false;
    written = unit;
  }

  return {
    fields: fields.map(({ node }) => node),
    first: fields[0].input,
    error,
    update(state, changed) {
      fields.forEach(({ name }, k) => say(name, UNITS[state.unit].names[k]));
      if (isTyping) return;
      if (changed.has("you") || changed.has("unit")) write(state, changed.has("you"));
      complain();
    },
  };
}

function introduction({ unit }) {
  const units = unit === "lb" ? "go in as lb and in, shifted" : "are converted to lb and in, then shifted";
  return [
    `Weight and height ${units} as in the training.`,
    "The network, as this page stands, answers with a probability of F.",
  ].join(" ");
}

// x1 = 150 − 135 = 15, and so on.
function shifted(study, { you: measured, unit }, inputs) {
  const { names } = UNITS.lb;
  const [first, second] = study.drawing.inputs.map((name, k) => {
    const from = `${short(measured[k], 6)} ${names[k]}`;
    return `${study.quantity[name].symbol} = ${from} − ${study.people.shift[k]} ${names[k]} = ${short(inputs[k], 6)}`;
  });
  const converted = unit === "lb" ? "" : " (1 lb is 0.45359237 kg, 1 in is 2.54 cm)";
  return `${first}, ${second}${converted}`;
}
