// An edge of the network, as thick as its weight or its derivative is large, and its label.

import { say, set, svg } from "../../parts/dom.js";
import { arrow, between } from "./arrow.js";
import { signed } from "../../mathematics/numbers.js";
import { handle, lengthOf, marks, signOf } from "./handle.js";

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
  // Arrows to one unit keep apart, and clear of the numbers below it.
  const [start, end] = between([x1, y1], [x2, y2], radius, 0.5);
  const ends = { x1: start[0], y1: start[1], x2: end[0], y2: end[1] };
  const line = svg("line", { class: "edge", ...ends, "data-parameter": parameter });
  // Edges cross in the middle, unless they all lead to one unit; one line alone has room nearer to it.
  const isLast = layers.some((layer) => layer.length === 1 && layer[0].z === to);
  const spotOf = (isBare) => (isLast ? 0.5 : isBare ? 0.38 : 0.3);
  // What stands above a unit reaches as far as the middle between two: a label there is a little lower.
  const lower = isLast ? row - 7 : 0;
  const texts = [0, 1].map(() => svg("text", { class: "label" }));
  const back = svg("rect", { class: "label-back", rx: 4 });
  const node = handle(store, parameter, svg("g", {}, svg("line", { class: "hit", ...ends }), back, texts));
  // Where units are close, a label would cover them.
  const areAll = edges.length <= FEW && !room.bare;
  const hasRoom = x2 - x1 - 2 * radius > letter * (digits + 7);
  const gradient = study.gradients[parameter];
  const flow = arrow(start, end);
  return {
    line,
    node,
    arrow: flow.node,
    flow: flow.run,
    update(look) {
      const { state, point, path, known, now, step, isBack } = look;
      const isNow = isBack ? now.has(parameter) || Boolean(step && comesBackTo(study, step, from)) : Boolean(step?.names.includes(to));
      flow.update(isBack ? "back" : "forward", known(isBack ? gradient : to), isNow && step?.phase !== "update");
      // A derivative that goes on to a value is multiplied by the weight: that is what the edge then shows.
      const isGradient = state.show === "gradients" && !(isBack && isNow && !now.has(parameter));
      const value = isGradient ? point.by_hand[gradient] : point.given[parameter];
      const seen = !isGradient || known(gradient);
      set(line, {
        "data-sign": seen ? signOf(value) : "unknown",
        "stroke-width": seen ? thickness(value, THICKNESS[isGradient ? "gradients" : "values"]).toFixed(2) : 1,
        "data-now": now.has(parameter),
        "data-flow": isNow && step?.phase !== "update" ? (isBack ? "back" : "forward") : null,
        "data-back": isGradient && known(gradient),
        "data-path": path.parameter === parameter || (path.sources.has(from) && path.reached.has(to)),
      });
      const labelled = room.lines > 0 && (areAll || (hasRoom && (state.parameter === parameter || state.pointed === parameter)));
      for (const part of [...texts, back]) set(part, { visibility: labelled ? null : "hidden" });
      // Where there is little room, a derivative stands on its edge without its name.
      const isBare = room.bare || (isGradient && room.isTight);
      say(texts[0], isBare ? "" : study.quantity[isGradient ? gradient : parameter].symbol);
      say(texts[1], seen ? signed(value, digits) : "?");
      // Between the nodes; where that is too narrow, in the middle.
      const spot = spotOf(isBare);
      const gap = x2 - x1 - 2 * radius - 2;
      const wide = Math.min(gap, letter * Math.max(...texts.map(lengthOf)) + 8);
      const [middle, free] = [(x1 + x2) / 2, (gap - wide) / 2];
      const x = Math.min(middle + free, Math.max(middle - free, x1 + radius + gap * spot));
      const y = y1 + (y2 - y1) * spot + (isBare ? lower : 0);
      texts.forEach((text, k) => set(text, { x, y: y + (isBare ? 4 : k ? row - 3 : -3) }));
      const high = isBare ? row + 4 : 2 * row + 5;
      set(back, { x: x - wide / 2, width: wide, y: y - high / 2 - (isBare ? 0 : 0.5), height: high });
      set(node, { ...marks(study, parameter, look), "data-lit": state.lit.includes(parameter) });
    },
  };
}

// Whether the step carries a derivative back to a value, as ∂L/∂h1 does to h1.
const comesBackTo = (study, step, value) => step.names.some((name) => study.quantity[name].derivative?.[1] === value);
