// Formulas in MathML from Python, with numbers in their places.

import { html } from "htm/preact";
import { short } from "../math/numbers.js";

const PLACE = /<mrow data-place="([^"]+)"( data-brackets="")? \/>/g;

// Where there are no fractions, a line may break before a sign between two terms, which otherwise none does in MathML.
const broken = (markup, sign) => (markup.includes("<mfrac>") ? markup : markup.replaceAll(`<mo>${sign}</mo>`, `</mrow></math><wbr><math><mrow><mo form="infix">${sign}</mo>`));

function filled(value, isBracketed) {
  const number = `<mn>${short(value, 5).replace(/\.0+$/, "")}</mn>`;
  return isBracketed && value < 0 ? `<mo stretchy="false">(</mo>${number}<mo stretchy="false">)</mo>` : number;
}

export function Formula({ markup, values }) {
  const pieces = broken(markup, markup.includes("<mo>+</mo>") ? "+" : "·");
  return html`<span class="formula" dangerouslySetInnerHTML=${{ __html: pieces.replace(PLACE, (_, name, brackets) => filled(values[name], brackets)) }} />`;
}
