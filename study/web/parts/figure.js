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

// Of Plot's pictures: the axis to the right, and room for both axes.
export const AXIS = { labelAnchor: "center", labelArrow: "none", labelOffset: 36 };
export const MARGINS = { marginLeft: 34, marginRight: 8, marginBottom: 40, marginTop: 26 };

// A picture of Plot's: `options` are those of Plot.plot, by width and height. Marks that are false are left out. `scale` says
// what its colours mean, from the lowest value up: [colour, what stands at its lower end, at the last one's upper end].
export function Figure({ label, name, options, scale }) {
  const [ref, width, height] = useSize();
  useLayoutEffect(() => {
    if (!width) return;
    const { marks, ...rest } = options(width, height);
    const drawn = Plot.plot({ width, height, style: { background: "none", fontSize: "13px" }, ...rest, marks: marks.filter(Boolean) });
    ref.current.replaceChildren(drawn);
    drawn.setAttribute("aria-hidden", "true");
  });
  return html`<div class=${`figure ${name}`} role="img" aria-label=${label}><div class="place" ref=${ref} />
    ${scale && html`<div class="scale">${scale.map(([colour, text]) => html`<span style=${{ borderColor: colour }}>${text}</span>`)}</div>`}
  </div>`;
}

// A picture of one's own: `children` gives SVG elements, by width and height, and `over` what lies on it and can be pressed.
export function Drawing({ label, name, children, over }) {
  const [ref, width, height] = useSize();
  return html`<div class=${`figure ${name}`}>
    <div class="place" role="img" aria-label=${label} ref=${ref}>
      ${width > 0 && html`<svg width=${width} height=${height} aria-hidden="true">${children(width, height)}</svg>`}
    </div>
    ${width > 0 && over?.(width, height)}
  </div>`;
}

// An arrow from one point to another: a line, and a head of so many pixels.
export function Arrow({ from: [x, y], to: [u, v], head = 7, name }) {
  const length = Math.hypot(u - x, v - y) || 1;
  const [dx, dy] = [((u - x) / length) * head, ((v - y) / length) * head];
  const wing = (side) => `${u - dx - (side * dy) / 2},${v - dy + (side * dx) / 2}`;
  return html`<g class=${`arrow ${name}`}><line x1=${x} y1=${y} x2=${u - dx} y2=${v - dy} /><polygon points=${`${u},${v} ${wing(1)} ${wing(-1)}`} /></g>`;
}

// A point between two, by its share of the way.
export const between = ([x, y], [u, v], share) => [x + (u - x) * share, y + (v - y) * share];

// A quantity: a circle, or as wide as its name is.
export function Node({ at: [x, y], text, radius = 19 }) {
  const half = Math.max(radius, 5 * text.length + 4);
  return html`<g class="node"><rect x=${x - half} y=${y - radius} width=${2 * half} height=${2 * radius} rx=${radius} /><text x=${x} y=${y + 5} text-anchor="middle">${text}</text></g>`;
}

// What comes back: a diamond, with its number above (side −1) or below (1), if there is one.
export const Pulse = ({ at: [x, y], text, side = 1 }) => html`<g class="pulse" transform=${`translate(${x},${y})`}>
  <path d="M0,-11L11,0L0,11L-11,0Z" />
  ${text && html`<text y=${side * 22 + 5} text-anchor="middle">${text}</text>`}
</g>`;
