// Pictures that are drawn only while visible, at their actual size.

import { element, svg } from "./dom.js";

// A picture as wide as its container, drawn at its size in pixels, and only while it is in view.
//
//   draw     (width, height): draws; redraw() calls it at once, or as soon as the picture is in view
//   content  the nodes in it
// Returns {node, drawing, redraw, isSeen}; `drawing` is the svg.
export function picture(height, draw, ...content) {
  const name = "A picture, drawn as it comes into view"; // until draw() or its view sets another
  const drawing = svg("svg", { class: "plot", role: "img", "aria-label": name, height, width: "100%" }, content);
  const node = element("div", { class: "picture" }, drawing);
  const now = { width: 0, isSeen: false, isAsked: false, isStale: false };
  function redraw() {
    now.isAsked = true;
    now.isStale = !now.isSeen || now.width === 0;
    if (!now.isStale) draw(now.width, height);
  }
  new ResizeObserver(([{ contentRect }]) => {
    const isNew = Math.abs(contentRect.width - now.width) >= 1;
    now.width = contentRect.width;
    if (isNew && now.isAsked) redraw();
  }).observe(node);
  const seen = (entries) => {
    now.isSeen = entries.at(-1).isIntersecting;
    if (now.isSeen && now.isStale) redraw();
  };
  // Slightly before it comes into view, so that it is never seen empty.
  new IntersectionObserver(seen, { rootMargin: "200px" }).observe(node);
  return { node, drawing, redraw, isSeen: () => now.isSeen };
}

// Milliseconds without a change after which a picture is drawn finely.
const REST = 150;

// An expensive picture: drawn coarsely while something changes, finely afterwards.
//
//   draw   (width, height, isFine)
export function refined(height, draw, ...content) {
  let resting = null;
  const shown = picture(height, coarse, ...content);
  function coarse(width) {
    clearTimeout(resting);
    draw(width, height, false);
    // A picture that has left the view is redrawn when it comes back.
    resting = setTimeout(() => (shown.isSeen() ? draw(width, height, true) : shown.redraw()), REST);
  }
  return shown;
}
