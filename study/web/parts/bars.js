// Bars to both sides of a common zero, one below the other: [name, value, class]. A value can be a list, whose parts lie end
// to end; it is hidden where it is null. A row that is false leaves its place free.

import { html } from "htm/preact";
import { signed } from "../math/numbers.js";

// `most` is what fills one side.
export function Bars({ rows, most, names, numbers, top = 0, width, height }) {
  const row = height / rows.length;
  const thick = Math.min(22, row * 0.6);
  const half = (width - names - numbers) / 2 - 6;
  const middle = (names + width - numbers) / 2;
  return html`<g class="bars">
    <line class="zero" x1=${middle} x2=${middle} y1=${top} y2=${top + height} />
    ${rows.map((of, k) => {
      if (!of) return null;
      const [name, value, kind] = of;
      const y = top + row * (k + 0.5);
      const label = html`<text class="name" x="0" y=${y + 5}>${name}</text>`;
      if (value === null) return html`${label}<text class="asked" x=${middle} y=${y + 6} text-anchor="middle">?</text>`;
      let end = 0;
      const parts = [value].flat().map((part, at) => {
        const [from, length] = [end, (part / most) * half];
        end += length;
        return html`<rect class=${`${kind} ${at ? "second" : ""}`} x=${middle + Math.min(from, end)} y=${y - thick / 2} width=${Math.max(1.5, Math.abs(length))} height=${thick} />`;
      });
      return html`${label}${parts}<text class="number" x=${width - 2} y=${y + 5} text-anchor="end">${signed([value].flat().reduce((sum, part) => sum + part))}</text>`;
    })}
  </g>`;
}
