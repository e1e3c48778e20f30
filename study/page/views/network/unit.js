// A unit of the network: its weighted sum and its activation below, what comes back to it above.

import { say, set, svg } from "../../parts/dom.js";
import { short, signed } from "../../mathematics/numbers.js";
import { handle, marks, signOf } from "./handle.js";

export function unit(store, { z, a, b }, [x, y], room) {
  const { study } = store;
  const { radius, line, digits } = room;
  const gradient = b && study.gradients[b];
  const circle = svg("circle", { cx: x, cy: y, r: radius, class: "unit" });
  const above = svg("text", { x, y: y - radius - line / 2, class: "gradient" });
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[a].symbol);
  const below = [0, 1].map((k) => svg("text", { x, y: y + radius + line * (k + 1), class: "number" }));
  const bias = svg("text", { x, y: y + radius + line * 3, class: "number bias" });
  const back = svg("rect", { class: "label-back", x: x - 46, y: y + radius + 2 * line + 2, width: 92, height: 17, rx: 4 });
  const grip = b ? handle(store, b, svg("g", {}, back, bias)) : bias;
  const node = svg("g", { "data-unit": z }, circle, name, above, below, grip);
  return {
    node,
    update(look) {
      const { state, point, path, known, now } = look;
      set(circle, {
        "data-known": known(a),
        "data-now": now.has(z) || now.has(a),
        "data-lit": state.lit.includes(z) || state.lit.includes(a),
        "data-path": path.reached.has(z),
      });
      say(below[0], `${study.quantity[z].symbol} ${known(z) ? short(point.by_hand[z]) : "?"}`);
      say(below[1], z === a ? "" : `${study.quantity[a].symbol} ${known(a) ? short(point.by_hand[a]) : "?"}`);
      const back = gradient && known(gradient) ? point.by_hand[gradient] : null;
      const of = `∂L/∂${study.quantity[z].symbol}`;
      say(above, gradient ? `${of} ${back === null ? "?" : signed(back, digits)}` : "");
      set(above, { "data-sign": back === null ? "unknown" : signOf(back) });
      if (!b) return;
      const isGradient = state.show === "gradients";
      say(bias, isGradient ? `${study.quantity[gradient].symbol} ${back === null ? "?" : signed(back, digits)}` : `${study.quantity[b].symbol} ${signed(point.given[b])}`);
      set(grip, marks(study, b, look));
    },
  };
}
