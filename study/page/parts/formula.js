// Formulas in MathML from Python, with numbers filled into their placeholders.

import { element } from "./dom.js";
import { plain, powered } from "../mathematics/numbers.js";

const MATH = "http://www.w3.org/1998/Math/MathML";

const templates = new Map();

// A new `math` element.
export function math(markup) {
  if (!templates.has(markup)) {
    const template = element("template");
    template.innerHTML = markup;
    templates.set(markup, template);
  }
  return templates.get(markup).content.firstElementChild.cloneNode(true);
}

// Fill in numbers by name, to six digits; a place that `shown` excludes gets a question mark.
export function fill(formula, values, shown = () => true) {
  for (const place of formula.querySelectorAll("[data-place]")) {
    const name = place.getAttribute("data-place");
    const brackets = place.hasAttribute("data-brackets");
    place.replaceChildren(...(shown(name) ? number(values[name], brackets) : [made("mtext", "?")]));
  }
  return formula;
}

// Split a formula so that a line can break before each operator between two terms.
export function inPieces(formula) {
  let row = formula;
  const isWrapped = ({ children: [only, ...others] }) => others.length === 0 && only?.localName === "mrow" && !only.hasAttribute("data-place");
  while (isWrapped(row)) row = row.firstElementChild;
  const pieces = [];
  let last = null;
  for (const sign of [...row.children]) {
    const isBetween = isOperator(sign, "+−×=⇒") && last !== null && !isOperator(last, "(·/+−");
    if (isBetween) sign.setAttribute("form", "infix");
    if (isBetween || last === null) pieces.push(formula.cloneNode(false));
    pieces.at(-1).append(sign);
    last = sign;
  }
  return pieces;
}

const isOperator = (node, signs) => node.localName === "mo" && signs.includes(node.textContent);

function number(value, brackets) {
  const [mantissa, exponent] = powered(plain(value));
  const nodes = [made("mn", mantissa.replace("-", "−"))];
  if (exponent !== undefined) nodes.push(made("mo", "×"), power(exponent));
  return brackets && value < 0 ? [made("mo", "("), ...nodes, made("mo", ")")] : nodes;
}

const power = (exponent) => made("msup", made("mn", "10"), made("mn", String(Number(exponent)).replace("-", "−")));

function made(tag, ...children) {
  const node = document.createElementNS(MATH, tag);
  node.append(...children);
  return node;
}
