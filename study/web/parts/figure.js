// Pictures: as large as the style says, and drawn anew whenever what they show, or their place, changes.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

// [a ref of an element, its width, its height], in pixels.
function useSize() {
  const ref = useRef(null);
  const [size, setSize] = useState([0, 0]);
  useLayoutEffect(() => {
    const measure = () => setSize([ref.current.clientWidth, ref.current.clientHeight]);
    const watch = new ResizeObserver(measure);
    watch.observe(ref.current);
    measure();
    return () => watch.disconnect();
  }, []);
  return [ref, ...size];
}

// A picture of Plot's: `options` are those of Plot.plot, by width and height. A mark that is false is none.
export function Figure({ label, name, options }) {
  const [ref, width, height] = useSize();
  useLayoutEffect(() => {
    if (!width) return;
    const { marks, ...rest } = options(width, height);
    const drawn = Plot.plot({ width, height, style: { background: "none", fontSize: "13px" }, ...rest, marks: marks.filter(Boolean) });
    ref.current.replaceChildren(drawn);
    drawn.setAttribute("aria-hidden", "true");
  });
  return html`<div class=${`figure ${name}`} role="img" aria-label=${label}><div class="place" ref=${ref} /></div>`;
}

// A picture of one's own: `children` gives SVG elements, by width and height.
export function Drawing({ label, name, children }) {
  const [ref, width, height] = useSize();
  return html`<div class=${`figure ${name}`} role="img" aria-label=${label}><div class="place" ref=${ref}>
    ${width > 0 && html`<svg width=${width} height=${height} aria-hidden="true">${children(width, height)}</svg>`}
  </div></div>`;
}

// An arrow from one point to another: a line, and a head of so many pixels.
export function Arrow({ from: [x, y], to: [u, v], head = 7, name }) {
  const length = Math.hypot(u - x, v - y) || 1;
  const [dx, dy] = [((u - x) / length) * head, ((v - y) / length) * head];
  const wing = (side) => `${u - dx - (side * dy) / 2},${v - dy + (side * dx) / 2}`;
  return html`<g class=${`arrow ${name}`}><line x1=${x} y1=${y} x2=${u - dx} y2=${v - dy} /><polygon points=${`${u},${v} ${wing(1)} ${wing(-1)}`} /></g>`;
}
