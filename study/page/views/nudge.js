// Nudge one parameter: the loss along it, its tangent, and the secant of a small step.

import { Slice } from "../mathematics/difference.js";
import { AT_POINT } from "../model/point.js";
import { choice, parameterList } from "../parts/controls.js";
import { element, say } from "../parts/dom.js";
import { curve } from "./nudge/curve.js";
import { errors } from "./nudge/errors.js";
import { lesson } from "./nudge/lesson.js";
import { measured } from "./nudge/measured.js";
import { numbers } from "./nudge/numbers.js";

export function nudge(place, store) {
  const { study } = store;
  const slices = {};
  for (const [form, program] of Object.entries(study.programs)) slices[form] = new Slice(study, program);
  const pick = parameterList(store, (parameter) => store.set({ parameter }));
  const look = choice(store, "close", "Look", [[false, "wide"], [true, "close, ±3 h"]]);
  const says = element("p", { class: "lesson", id: "nudge-lesson" });
  const parts = [curve(store), errors(store), numbers()];
  place.append(
    element("p", { class: "note" }, "A derivative can be measured: move one parameter a little to both sides, and divide the change of L by the change of the parameter. How small a step is best?"),
    element("div", { class: "bar" }, element("label", {}, "Parameter ", pick), look.node),
    element("div", { class: "pair" }, parts[0].node, parts[1].node),
    says,
    parts[2].node,
    element("p", { class: "note why" }, "Why a V, where a difference is left to measure: a large step also measures how the curve bends, an error that shrinks with h². A small step subtracts two losses that are almost equal. What is left of them is their rounding, about u = 2⁻⁵³ of L, divided by h: an error that grows as h shrinks."),
  );

  return (state, point, changed) => {
    if (![...changed].some((key) => SHOWN.has(key))) return;
    const seen = measured(study, slices[state.form], state, point);
    if (document.activeElement !== pick) pick.value = state.parameter;
    look.update(state);
    say(says, lesson(seen));
    for (const part of parts) part.update(seen, state, changed);
  };
}

// The parts of the state that the numbers here depend on.
const SHOWN = new Set([...AT_POINT, "parameter", "nudge", "close"]);
