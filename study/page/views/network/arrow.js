// The arrow on a line of the network: values go to its end, derivatives come back to its beginning.

import { set, svg } from "../../parts/dom.js";

// Milliseconds on the way; how far from an end an arrow stands, and how long it is, in pixels. On a line that is shorter
// than the arrow, it is smaller.
const WAY = 260;
const BEFORE = 12;
const LONG = 18;

const isStill = matchMedia("(prefers-reduced-motion: reduce)");

// Where the line from a centre to another leaves the one and meets the other, at a distance from both: on the straight
// way between them, or nearer to the horizontal, by a share of its angle.
export function between([x1, y1], [x2, y2], away, share = 1) {
  const angle = share * Math.atan2(y2 - y1, x2 - x1);
  const [dx, dy] = [away * Math.cos(angle), away * Math.sin(angle)];
  return [[x1 + dx, y1 + dy], [x2 - dx, y2 - dy]];
}

export function arrow([x1, y1], [x2, y2]) {
  const node = svg("path", { class: "arrow", d: "M-9 -8L9 0L-9 8Z", visibility: "hidden" });
  const [length, angle] = [Math.hypot(x2 - x1, y2 - y1), Math.atan2(y2 - y1, x2 - x1)];
  const place = (share, turn) => `translate(${x1 + (x2 - x1) * share}px, ${y1 + (y2 - y1) * share}px) rotate(${angle + turn}rad) scale(${Math.min(1, length / LONG)})`;
  const near = Math.min(BEFORE / length, 0.5);
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
