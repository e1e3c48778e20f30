// Both ends of the network: the inputs, and the loss with the targets.

import { say, set, svg } from "../../parts/dom.js";
import { lighting } from "./handle.js";
import { short } from "../../mathematics/numbers.js";

export function input(store, name, [x, y], { radius, line, lines }) {
  const { study } = store;
  const [wide, high] = [2 * radius, 1.6 * radius];
  const square = svg("rect", { class: "unit input", x: x - wide / 2, y: y - high / 2, width: wide, height: high, rx: 8 });
  const text = svg("text", { x, y: lines ? y - 1 : y + 4, class: "name" }, study.quantity[name].symbol);
  const value = svg("text", { x, y: y + line, class: "number", visibility: lines ? null : "hidden" });
  return {
    node: svg("g", { "data-input": name, ...lighting(store, [name]) }, square, text, value),
    update({ state, point }) {
      set(square, { "data-lit": state.lit.includes(name) });
      say(value, short(point.given[name]));
    },
  };
}

export function lossNode(store, [x, y], isNarrow, { radius, line, lines }) {
  const { study } = store;
  const half = 0.88 * radius;
  const square = svg("rect", { class: "unit loss", x: x - half, y: y - half, width: 2 * half, height: 2 * half, rx: 8 });
  const visibility = lines ? null : "hidden";
  const beside = (dy) => ({ visibility, ...(isNarrow ? { x: x - half - 6, y: y + dy / 3, "text-anchor": "end" } : { x, y: y + dy }) });
  const value = svg("text", { ...beside(half + line + 4), class: "number" });
  const targets = Object.keys(study.samples[0].given).filter((name) => !study.drawing.inputs.includes(name));
  const target = targets.map((name, k) => [name, svg("text", { ...beside(-half - 8 - (line + 1) * k), class: "number" })]);
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[study.loss].symbol);
  return {
    node: svg("g", { "data-unit": study.loss, ...lighting(store, [study.loss]) }, square, name, value, target.map(([, node]) => node)),
    update({ state, point, known, now }) {
      const isKnown = known(study.loss);
      set(square, { "data-known": isKnown, "data-now": now.has(study.loss), "data-lit": state.lit.includes(study.loss) });
      say(value, isKnown ? short(point.by_hand[study.loss]) : "?");
      for (const [of, node] of target) say(node, `${study.quantity[of].symbol} ${short(point.given[of])}`);
    },
  };
}
