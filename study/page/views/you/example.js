// Another network's example: its inputs and targets can be set, and its outputs are shown.

import { short } from "../../mathematics/numbers.js";
import { isFit, isOfLogits, isTarget, meant } from "../../model/outputs.js";
import { probability } from "../../model/people.js";
import { inputsSet } from "../../model/state.js";
import { edited } from "../../model/store.js";
import { element, hide, say, set } from "../../parts/dom.js";

export function example(place, store) {
  const { study } = store;
  const { given } = study.samples[0];
  const error = element("p", { class: "error", id: "you-error", role: "status", hidden: true });
  const fields = Object.keys(given).map((name) => {
    const input = element("input", {
      type: "number",
      step: "any",
      "aria-describedby": "you-error",
      // What is no number yet may become one while it is typed.
      oninput: () => (Number.isFinite(input.valueAsNumber) ? read(name, input) : complain(null)),
      onchange: () => read(name, input),
    });
    return { name, input, node: element("label", {}, `${study.quantity[name].symbol} `, input) };
  });
  const outputs = element("p", { class: "answer" });
  const undo = element("button", { type: "button", class: "quiet", onclick: reset }, "as given");
  place.append(
    element("p", { class: "note" }, "Give the network other inputs and targets; the whole page follows."),
    element("div", { class: "bar" }, fields.filter(({ name }) => !isTarget(study, name)).map(({ node }) => node)),
    element("div", { class: "bar" }, fields.filter(({ name }) => isTarget(study, name)).map(({ node }) => node), undo),
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
    const { symbol } = study.quantity[name];
    if (!Number.isFinite(input.valueAsNumber)) return `${symbol}: expected a number.`;
    return isFit(study, name, input.valueAsNumber)
      ? null
      : `${symbol}: got ${input.value}, expected a number from 0 to 1 for ${study.about.loss}.`;
  }

  function complain(wrong, input) {
    say(error, wrong ?? "");
    set(error, { hidden: !wrong });
    for (const field of fields) set(field.input, { "aria-invalid": wrong && field.input === input ? "true" : null });
  }

  // The focused field keeps what the reader types. All others show the current values, which ends their errors.
  function write(point) {
    for (const { name, input } of fields) {
      if (document.activeElement === input) continue;
      input.value = point.given[name];
      if (input.getAttribute("aria-invalid") === "true") complain(null);
    }
  }

  return (state, point) => {
    write(point);
    hide(undo, Object.keys(inputsSet(study, state)).length === 0, fields[0].input);
    const values = study.outputs.map((name) => point.by_hand[name]);
    const chances = meant(study, values);
    const said = (name, k) => {
      const is = `${study.quantity[name].symbol} = ${short(values[k])}`;
      return isOfLogits(study) ? `${is}, a probability of ${probability(chances[k])}` : is;
    };
    say(outputs, study.outputs.map(said).join("; "));
  };
}
