// Both ends of the network: the inputs, and the loss with the targets.

import { say, set, svg } from "../../parts/dom.js";
import { short } from "../../mathematics/numbers.js";

export function input(study, name, [x, y]) {
  const square = svg("rect", { class: "unit input", x: x - 25, y: y - 20, width: 50, height: 40, rx: 8 });
  const text = svg("text", { x, y: y - 1, class: "name" }, study.quantity[name].symbol);
  const value = svg("text", { x, y: y + 14, class: "number" });
  return {
    node: svg("g", { "data-input": name }, square, text, value),
    update({ state, point }) {
      set(square, { "data-lit": state.lit.includes(name) });
      say(value, short(point.given[name]));
    },
  };
}

export function lossNode(study, [x, y], isNarrow) {
  const square = svg("rect", { class: "unit loss", x: x - 22, y: y - 22, width: 44, height: 44, rx: 8 });
  const beside = (dy) => (isNarrow ? { x: x - 28, y: y + dy / 3, "text-anchor": "end" } : { x, y: y + dy });
  const value = svg("text", { ...beside(40), class: "number" });
  const targets = Object.keys(study.samples[0].given).filter((name) => !study.drawing.inputs.includes(name));
  const target = targets.map((name, k) => [name, svg("text", { ...beside(-30 - 15 * k), class: "number" })]);
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[study.loss].symbol);
  return {
    node: svg("g", { "data-unit": study.loss }, square, name, value, target.map(([, node]) => node)),
    update({ state, point, known, now }) {
      const isKnown = known(study.loss);
      set(square, { "data-known": isKnown, "data-now": now.has(study.loss), "data-lit": state.lit.includes(study.loss) });
      say(value, isKnown ? short(point.by_hand[study.loss]) : "?");
      for (const [of, node] of target) say(node, `${study.quantity[of].symbol} ${short(point.given[of])}`);
    },
  };
}
