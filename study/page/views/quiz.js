// The quiz: is the derivative positive or negative, and how large? The answer is hidden until given.

import { element, replace, say, set } from "../parts/dom.js";
import { isAsking, questionOf } from "../model/question.js";
import { inSigns, short, signed } from "../mathematics/numbers.js";

const SIGNS = [[1, "+ positive"], [-1, "− negative"], [0, "0 zero"]];

// The range of random seeds: short enough to pass on.
const SEEDS = 1000;

export function quiz(place, store) {
  const { study } = store;
  const button = (text, onclick, attributes = {}) =>
    element("button", { type: "button", onclick, ...attributes }, text);
  const toggle = button("", () => store.set({ quiz: !store.state.quiz, revealed: null }));
  const next = button("another question", another);
  const score = element("span", { class: "note score" });
  const question = element("p", { class: "question" });
  const signs = SIGNS.map(([sign, text]) => button(text, () => guessSign(sign), { "data-sign": sign }));
  const ofSign = element("p", { class: "answer" });
  const reasons = element("ul", { class: "reasons" });
  const field = element("input", { type: "text", id: "quiz-value", autocomplete: "off", spellcheck: "false" });
  const value = element(
    "form",
    { class: "bar", onsubmit: guessValue },
    element("label", { for: field.id }),
    field,
    element("button", { type: "submit" }, "check"),
    button("hint", hint, { class: "quiet" }),
    button("show it", reveal, { class: "quiet" }),
  );
  const hints = element("p", { class: "note hints" });
  const ofValue = element("p", { class: "answer" });
  const choice = element("div", { class: "bar", role: "group", "aria-label": "Its sign" }, signs);
  const body = element("div", {}, question, choice, ofSign, reasons, value, hints, ofValue);
  place.append(
    element(
      "p",
      { class: "note" },
      `Once it starts, a derivative is hidden on the whole page. Say its sign, then its value; to within 1 %, or in two
      digits, is close enough.`,
    ),
    element("div", { class: "bar" }, toggle, next, score),
    body,
  );
  const live = document.getElementById("live");
  const scored = { signs: [0, 0], values: [0, 0] };
  let current = null; // the question and how far it is answered

  const truth = () => trueValue(study, store.point, study.gradients[store.state.parameter]);
  const told = (node, text) => {
    say(node, text);
    say(live, text);
  };

  function another() {
    current = null;
    store.set(drawn(store));
    if (current) return;
    begin(store.state, store.point); // a page with one parameter asks for it again
    draw();
  }

  function guessSign(sign) {
    if (current.isSigned) return;
    const right = Math.sign(truth());
    current.isSigned = true;
    count(scored.signs, sign === right);
    const { parameter } = store.state;
    const gradient = study.gradients[parameter];
    const word = SIGNS.find(([of]) => of === right)[1].slice(2);
    const is = `${study.quantity[gradient].symbol} is ${word}. ${meaning(study, parameter, right)}`;
    told(ofSign, `${sign === right ? "✓ Right" : "✗ No"}: ${is}`);
    replace(reasons, explained(study, store.point, gradient).map((text) => element("li", {}, text)));
    draw();
    field.focus({ preventScroll: true });
  }

  function guessValue(event) {
    event.preventDefault();
    const guess = parsed(field.value);
    if (guess === null) {
      told(ofValue, "That is no number. 0.021, −1.6e-13 and 2·10^-5 are.");
      draw();
      return;
    }
    const right = truth();
    const isRight = isClose(guess, right);
    if (!current.isTried) count(scored.values, isRight);
    current.isTried = true;
    if (isRight) reveal();
    else told(ofValue, `✗ Not yet: ${nearer(guess, right)}.`);
    draw();
  }

  function hint() {
    say(hints, factorsIn(study, store.point, study.gradients[store.state.parameter]));
    say(live, hints.textContent);
    draw();
  }

  function reveal() {
    const { symbol } = study.quantity[study.gradients[store.state.parameter]];
    const guess = parsed(field.value);
    const isRight = guess !== null && isClose(guess, truth());
    if (!current.isTried) count(scored.values, false);
    current.isTried = true;
    hint();
    told(ofValue, `${isRight ? "✓ Right" : "It is this"}: ${symbol} = ${signed(truth(), 6)}.`);
    store.set({ revealed: questionOf(store.state) });
    next.focus({ preventScroll: true });
  }

  const count = (pair, isRight) => {
    pair[0] += isRight ? 1 : 0;
    pair[1] += 1;
  };

  function begin(state, point) {
    current = { question: questionOf(state), isSigned: false, isTried: false };
    for (const node of [ofSign, hints, ofValue]) say(node, "");
    replace(reasons);
    field.value = "";
    const { symbol } = study.quantity[study.gradients[state.parameter]];
    const at = `${study.quantity[state.parameter].symbol} = ${short(point.given[state.parameter])}`;
    const where = `For ${point.sample.name}, with the parameters as they are and ${at}`;
    say(question, `${where}: what is the sign of ${symbol}?`);
    say(value.querySelector("label"), `${symbol} =`);
    if (!Number.isFinite(truth())) say(question, `${symbol} has no one finite value here. Take another question.`);
  }

  function draw() {
    const isOpen = isAsking(store.state);
    const isPossible = Number.isFinite(truth());
    for (const button of signs) set(button, { disabled: current.isSigned || !isPossible });
    set(value, { hidden: !current.isSigned || !isOpen });
    for (const node of [ofSign, reasons, hints, ofValue]) set(node, { hidden: !node.hasChildNodes() });
    const [[s, ofS], [v, ofV]] = [scored.signs, scored.values];
    say(score, [ofS && `signs ${s} of ${ofS}`, ofV && `values ${v} of ${ofV}`].filter(Boolean).join(", "));
  }

  return (state, point) => {
    set(document.body, { "data-asking": isAsking(state) });
    set(toggle, { "aria-pressed": state.quiz });
    say(toggle, state.quiz ? "end the quiz" : "start the quiz");
    set(next, { hidden: !state.quiz });
    set(body, { hidden: !state.quiz });
    if (!state.quiz) {
      current = null;
      return;
    }
    if (current?.question !== questionOf(state)) begin(state, point);
    draw();
  };
}

// Another question: one of the parameters, and where the page has them, of the samples and seeds.
function drawn({ study, state }) {
  const below = (count) => Math.floor(Math.random() * count);
  const others = study.parameters.filter((name) => name !== state.parameter);
  const parameter = others[below(others.length)] ?? state.parameter;
  if (study.samples.length < 2) return { parameter, revealed: null };
  const sample = study.samples[below(study.samples.length)].key;
  return { parameter, sample, seed: below(SEEDS), edits: {}, epoch: 0, revealed: null };
}

// The exact value as a float64; where there is none, not a number.
function trueValue(study, point, name) {
  if (study.quantity[name].step === 0) return point.given[name];
  const digits = point.exact(name);
  return digits === null ? NaN : Number(digits);
}

// Within 1 %, or the number in two digits.
const isClose = (guess, right) =>
  Math.abs(guess - right) <= Math.abs(right) / 100 || guess === Number(right.toPrecision(2));

// 0.021, −0,95, 1.6e-13, 1.6·10^-13, 1.6 * 10⁻¹³; null for anything else.
export function parsed(text) {
  const plain = text
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/g, (c) => "0123456789-"["⁰¹²³⁴⁵⁶⁷⁸⁹⁻".indexOf(c)])
    .replace(/[−–]/g, "-")
    .replace(/\s/g, "")
    .replace(",", ".")
    .replace(/[·*×]10\^?\(?([-+]?\d+)\)?$/, "e$1");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) && Number.isFinite(Number(plain)) ? Number(plain) : null;
}

function nearer(guess, right) {
  if (Math.sign(guess) !== Math.sign(right)) return "the sign is another one";
  return Math.abs(guess) > Math.abs(right) ? "it is nearer to 0" : "it is farther from 0";
}

function meaning(study, parameter, sign) {
  const { symbol } = study.quantity[parameter];
  if (sign === 0) return `To first order ${symbol} changes nothing.`;
  return sign > 0 ? `As ${symbol} grows, the loss rises.` : `As ${symbol} grows, the loss falls.`;
}

const mark = (value) => (value > 0 ? "+" : value < 0 ? "−" : "0");

// The factors of a quantity, skipping names that only pass a number on.
function pieces(study, name) {
  const { factors } = study.quantity[name];
  return factors.length === 1 ? pieces(study, factors[0]) : { name, factors };
}

// Explain the sign: it is the product of the signs of the factors, and each of theirs likewise.
function explained(study, point, gradient) {
  const whole = pieces(study, gradient);
  const value = (name) => trueValue(study, point, name);
  const line = ({ name, factors }) =>
    factors.length ? asProduct(study, name, factors, value) : asSum(study, name, value);
  const parts = whole.factors.length ? whole.factors : study.quantity[whole.name].depends_on;
  const computed = parts.filter((name) => study.quantity[name].step > 0 && study.quantity[name].derivative);
  return [line({ ...whole, name: gradient }), ...computed.map((name) => line({ ...pieces(study, name), name }))];
}

function asProduct(study, name, factors, value) {
  const symbols = factors.map((of) => study.quantity[of].symbol).join(" · ");
  const signs = factors.map((of) => mark(value(of))).join(" · ");
  return `${study.quantity[name].symbol} = ${symbols}: ${signs} gives ${mark(value(name))}`;
}

// The sign of a sum, or of a function of a sum, comes from the numbers.
function asSum(study, name, value) {
  const { symbol, formula } = study.quantity[name];
  const isSlope = formula.startsWith("σ′(");
  return `${symbol} = ${inSigns(formula)}: ${mark(value(name))}${isSlope ? ", as σ′ always is" : ""}`;
}

// The numbers to multiply; for a sum, the factors of its terms.
function factorsIn(study, point, gradient) {
  const formulaOf = (name) => `${study.quantity[name].symbol} = ${inSigns(study.quantity[name].formula)}`;
  const { name, factors } = pieces(study, gradient);
  const parts = factors.length ? factors : study.quantity[name].depends_on;
  const terms = factors.length ? [] : parts.filter((of) => study.quantity[of].factors.length);
  const numbers = parts.flatMap((of) => (terms.includes(of) ? pieces(study, of).factors : [of]));
  const number = (of) => `${study.quantity[of].symbol} = ${short(trueValue(study, point, of))}`;
  const written = [...new Set(numbers)].map(number);
  return `${[name, ...terms].map(formulaOf).join("; ")}; with ${written.join(", ")}`;
}
