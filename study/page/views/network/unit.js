// A unit of the network: its weighted sum and activation below, its derivative above.

import { say, set, svg } from "../../parts/dom.js";
import { short, signed } from "../../mathematics/numbers.js";
import { backTo } from "../../model/question.js";
import { handle, lengthOf, lighting, marks, signOf } from "./handle.js";

export function unit(store, { z, a, b }, [x, y], room) {
  const { study } = store;
  const { radius, line, lines, digits, bare } = room;
  const called = (symbol, number) => (bare ? number : `${symbol} ${number}`);
  const gradient = b && study.gradients[b];
  const circle = svg("circle", { cx: x, cy: y, r: radius, class: "unit" });
  const above = svg("text", { x, y: y - radius - line / 2, class: "gradient" });
  const name = svg("text", { x, y: y + 4, class: "name" }, study.quantity[a].symbol);
  // Backgrounds, so that numbers stay readable where edges pass behind them; the labels of edges go on top.
  const grounds = svg("g", {}, lines ? [
    svg("rect", { class: "ground", x: x - 7 * room.letter, y: y - radius - line * 1.5, width: 14 * room.letter, height: line + 2 }),
    svg("rect", { class: "ground", x: x - 5 * room.letter, y: y + radius + 2, width: 10 * room.letter, height: line * Math.min(2, lines) }),
  ] : []);
  const below = [0, 1].slice(0, lines).map((k) => svg("text", { x, y: y + radius + line * (k + 1), class: "number" }));
  const bias = svg("text", { x, y: y + radius + line * lines, class: "number bias" });
  const ground = svg("rect", { class: "label-back", y: y + radius + line * (lines - 1) + 2, height: line + 1, rx: 4 });
  const grip = b ? handle(store, b, svg("g", {}, ground, bias)) : bias;
  const node = svg("g", { "data-unit": z, ...lighting(store, [z, a]) }, circle, name, lines ? [above, ...below, grip] : []);
  return {
    node,
    grounds,
    update(look) {
      const { state, point, path, known, now, isBack } = look;
      set(circle, {
        "data-known": known(a),
        "data-now": now.has(z) || now.has(a),
        "data-lit": state.lit.includes(z) || state.lit.includes(a),
        "data-path": path.reached.has(z),
      });
      const numbers = [z, a].map((of) => called(study.quantity[of].symbol, known(of) ? short(point.by_hand[of], bare ? digits : 4) : "?"));
      if (z === a) numbers.pop();
      if (lines > 1) below.forEach((text, k) => say(text, numbers[k] ?? ""));
      else if (lines === 1) {
        // There is room for one line: the activation or, while it is chosen, the bias.
        const isChosen = b && (state.parameter === b || state.pointed === b);
        say(below[0], isChosen ? "" : numbers.at(-1));
        for (const part of [bias, ground]) set(part, { visibility: isChosen ? null : "hidden" });
      }
      const back = gradient && known(gradient) ? point.by_hand[gradient] : null;
      const sum = b ? backTo(study, state, point, b).value : null;
      const of = `∂L/∂${study.quantity[z].symbol}`;
      say(above, gradient && (sum !== null || isBack) ? called(of, sum === null ? "?" : signed(sum, digits)) : "");
      set(above, { "data-sign": sum === null ? "unknown" : signOf(sum) });
      if (!b) return;
      const isGradient = state.show === "gradients";
      say(bias, isGradient ? called(study.quantity[gradient].symbol, back === null ? "?" : signed(back, digits)) : called(study.quantity[b].symbol, signed(point.given[b], bare ? digits : 3)));
      const wide = room.letter * lengthOf(bias) + 8;
      set(ground, { x: x - wide / 2, width: wide });
      set(grip, marks(study, b, look));
    },
  };
}
