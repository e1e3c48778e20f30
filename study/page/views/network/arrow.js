// The arrow on a line of the network: values go to its end, derivatives come back to its beginning.

import { set, svg } from "../../parts/dom.js";

// Milliseconds on the way, and how far from an end an arrow stands, in pixels.
const WAY = 260;
const BEFORE = 20;

const isStill = matchMedia("(prefers-reduced-motion: reduce)");

export function arrow([x1, y1], [x2, y2]) {
  const node = svg("path", { class: "arrow", d: "M-9 -8L9 0L-9 8Z", visibility: "hidden" });
  const [length, angle] = [Math.hypot(x2 - x1, y2 - y1), Math.atan2(y2 - y1, x2 - x1)];
  const place = (share, turn) => `translate(${x1 + (x2 - x1) * share}px, ${y1 + (y2 - y1) * share}px) rotate(${angle + turn}rad)`;
  const near = BEFORE / length;
  let now = false;
  let way = [];
  let moving = null;
  return {
    node,
    update(direction, isKnown, isNow) {
      now = isNow;
      way = direction === "back" ? [place(1, Math.PI), place(near, Math.PI)] : [place(0, 0), place(1 - near, 0)];
      node.style.transform = way[1];
      set(node, { "data-flow": direction, "data-now": isNow, visibility: isKnown ? null : "hidden" });
    },
    // Go the way that the step goes.
    run() {
      moving?.cancel();
      if (now && !isStill.matches) moving = node.animate(way.map((transform) => ({ transform })), { duration: WAY, easing: "ease-in-out" });
    },
  };
}
