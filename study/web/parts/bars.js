// Bars to both sides of a common zero, one below the other: [name, value, class, text if not the value]. A value can be a
// list, whose parts lie end to end; it is hidden where it is null. A row that is false leaves its place free. Without room for
// `numbers` to the right, each stands at the zero, on the side that its bar leaves free.

import { html } from "htm/preact";
import { signed } from "../math/numbers.js";

// `most` is what fills one side; `sides` is 1 where no value is negative; `share` is how much of a row a bar is thick.
export function Bars({ rows, most, names, numbers = 0, sides = 2, share = 0.55, top = 0, width, height }) {
  const row = height / rows.length;
  const thick = Math.min(30, row * share);
  const half = (width - names - numbers) / sides - 6;
  const middle = names + (sides - 1) * (half + 6);
  return html`<g class="bars">
    <line class="zero" x1=${middle} x2=${middle} y1=${top} y2=${top + height} />
    ${rows.map((of, k) => {
      if (!of) return null;
      const [name, value, kind, text] = of;
      const y = top + row * (k + 0.5);
      const label = html`<text class="name" x="0" y=${y + 5}>${name}</text>`;
      if (value === null) return html`${label}<text class="asked" x=${middle} y=${y + 6} text-anchor="middle">?</text>`;
      let end = 0;
      const parts = [value].flat().map((part, at) => {
        const [from, length] = [end, (part / most) * half];
        end += length;
        return html`<rect class=${`${kind} ${at ? "second" : ""}`} x=${middle + Math.min(from, end)} y=${y - thick / 2} width=${Math.abs(length) < 0.5 ? 0 : Math.abs(length)} height=${thick} rx="2" />`;
      });
      return html`${label}${parts}<text class=${kind.startsWith("returned") ? "back" : "number"} x=${numbers ? width - 2 : middle + (end > 0 ? -8 : 8)} y=${y + 5} text-anchor=${numbers || end > 0 ? "end" : "start"}>${text ?? signed([value].flat().reduce((sum, part) => sum + part))}</text>`;
    })}
  </g>`;
}
