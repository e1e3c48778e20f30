// Bars to both sides of a common zero, one below the other: [name, value, class, text], hidden where the value is null.

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
    ${rows.map(([name, value, kind, text], k) => {
      const y = top + row * (k + 0.5);
      if (value === null) return html`<text class="name" x="0" y=${y + 5}>${name}</text><text class="hidden" x=${middle} y=${y + 6} text-anchor="middle">?</text>`;
      const length = Math.max(-1, Math.min(1, value / most)) * half;
      return html`<text class="name" x="0" y=${y + 5}>${name}</text>
        <rect class=${kind} x=${middle + Math.min(0, length)} y=${y - thick / 2} width=${Math.max(1.5, Math.abs(length))} height=${thick} rx="2" />
        <text class="number" x=${width - 2} y=${y + 5} text-anchor="end">${text ?? signed(value)}</text>`;
    })}
  </g>`;
}
