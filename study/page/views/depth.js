// What comes back through many layers: activations, ∂L/∂z, and how large it still is at each layer.

import { digitsPasses, drawnPass, typical } from "../model/deep.js";
import { ACTIVATIONS } from "../model/state.js";
import { element, say } from "../parts/dom.js";
import { controls } from "./depth/controls.js";
import { costTable } from "./depth/cost.js";
import { heatMaps } from "./depth/maps.js";
import { ofDigit, ofDraw, origin } from "./depth/words.js";

// The parts of the state that the numbers here depend on.
const SHOWN = ["depth", "units", "act", "scale", "draw", "digit"];

export function depth(place, store) {
  const { digits } = store.study;
  const passOfDigit = digitsPasses(digits);
  const says = element("p", { class: "lesson" });
  const why = element("p", { class: "note" });
  const parts = [controls(store), heatMaps(), costTable()];
  const [choices, picture, cost] = parts;
  place.append(
    element("p", { class: "note" }, "On its way back, ∂L/∂z takes on two factors at every layer: the weights to the layer above, and f′(z). Watch what is left of it at the first layer."),
    element("div", { class: "chosen" }, choices.node, says),
    picture.node,
    element("div", { class: "columns" }, why, cost.node),
  );

  return (state, point, changed) => {
    if (!SHOWN.some((key) => changed.has(key))) return;
    const isDrawn = state.digit === null;
    const found = isDrawn ? drawnPass(state) : passOfDigit(state.digit);
    const means = found.deltas.map(typical);
    const seen = isDrawn ? { ...found, means } : { ...found, means, image: digits.images[state.digit] };
    if (isDrawn) {
      // The same draw with every activation.
      const withAct = (act) => (act === state.act ? means : drawnPass({ ...state, act }).deltas.map(typical));
      seen.lines = Object.fromEntries(ACTIVATIONS.map((act) => [act, withAct(act)]));
    }
    const [first, rest] = isDrawn ? ofDraw(state, seen) : ofDigit(seen);
    say(says, first);
    say(why, isDrawn ? rest : `${rest} ${origin(digits)}`);
    for (const part of parts) part.update(state, seen);
  };
}
