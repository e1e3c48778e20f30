// An edge of the network, as thick as its weight or its derivative is large, and its label.

import { say, set, svg } from "../../parts/dom.js";
import { arrow } from "./arrow.js";
import { signed } from "../../mathematics/numbers.js";
import { handle, marks, signOf } from "./handle.js";

// The sizes at which an edge is thinnest and thickest. In between its thickness follows the logarithm, because
// gradients span twelve powers of ten.
const THICKNESS = { values: [0.01, 10], gradients: [1e-13, 1] };

// With more edges than this, only those that are chosen or pointed at have labels.
const FEW = 12;

function thickness(value, [hair, full]) {
  const share = Math.log(Math.abs(value) / hair) / Math.log(full / hair);
  return 1 + 6 * Math.min(1, Math.max(0, share || 0));
}

export function edge(store, { parameter, from, to }, [x1, y1], [x2, y2], room) {
  const { study } = store;
  const { layers, edges } = study.drawing;
  const { radius, line: row, digits, letter } = room;
  const line = svg("line", { class: "edge", x1: x1 + radius, y1, x2: x2 - radius, y2, "data-parameter": parameter });
  // Edges cross in the middle, unless they all lead to one unit.
  const spot = layers.some((layer) => layer.length === 1 && layer[0].z === to) ? 0.5 : 0.3;
  const [x, y] = [x1 + radius + (x2 - x1 - 2 * radius) * spot, y1 + (y2 - y1) * spot];
  const texts = [-3, row - 3].map((dy) => svg("text", { x, y: y + dy, class: "label" }));
  const back = svg("rect", { class: "label-back", x, y: y - row - 3, height: 2 * row + 5, rx: 4 });
  const node = handle(store, parameter, svg("g", {}, svg("line", { class: "hit", x1: x1 + radius, y1, x2: x2 - radius, y2 }), back, texts));
  // Where units are close, a label would cover them.
  const areAll = edges.length <= FEW && !room.bare;
  const hasRoom = x2 - x1 - 2 * radius > letter * (digits + 7);
  const gradient = study.gradients[parameter];
  const flow = arrow([x1 + radius, y1], [x2 - radius, y2]);
  return {
    line,
    node,
    arrow: flow.node,
    flow: flow.run,
    update(look) {
      const { state, point, path, known, now, step } = look;
      const isBack = step?.phase === "backward" || step?.phase === "update";
      const isNow = isBack ? now.has(parameter) || comesBackTo(study, step, from) : Boolean(step?.names.includes(to));
      flow.update(isBack ? "back" : "forward", known(isBack ? gradient : to), isNow && step.phase !== "update");
      // A derivative that goes on to a value is multiplied by the weight: that is what the edge then shows.
      const isGradient = state.show === "gradients" && !(isBack && isNow && !now.has(parameter));
      const value = isGradient ? point.by_hand[gradient] : point.given[parameter];
      const seen = !isGradient || known(gradient);
      set(line, {
        "data-sign": seen ? signOf(value) : "unknown",
        "stroke-width": seen ? thickness(value, THICKNESS[isGradient ? "gradients" : "values"]).toFixed(2) : 1,
        "data-now": now.has(parameter),
        "data-flow": isNow && step.phase !== "update" ? (isBack ? "back" : "forward") : null,
        "data-back": isGradient && known(gradient),
        "data-path": path.parameter === parameter || (path.sources.has(from) && path.reached.has(to)),
      });
      const labelled = room.lines > 0 && (areAll || (hasRoom && (state.parameter === parameter || state.pointed === parameter)));
      for (const part of [...texts, back]) set(part, { visibility: labelled ? null : "hidden" });
      // Where there is little room, a derivative stands on its edge without its name.
      const isBare = room.bare || (isGradient && room.isTight);
      say(texts[0], isBare ? "" : study.quantity[isGradient ? gradient : parameter].symbol);
      say(texts[1], seen ? signed(value, digits) : "?");
      const wide = letter * Math.max(...texts.map((text) => text.textContent.length)) + 8;
      set(back, { x: x - wide / 2, width: wide, y: y - 3 - (isBare ? 1 : row), height: (isBare ? 1 : 2) * row + 5 });
      set(node, { ...marks(study, parameter, look), "data-lit": state.lit.includes(parameter) });
    },
  };
}

// Whether the step carries a derivative back to a value, as ∂L/∂h1 does to h1.
const comesBackTo = (study, step, value) => step.names.some((name) => study.quantity[name].derivative?.[1] === value);
