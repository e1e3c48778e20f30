// The quiz: of a derivative its sign, its value, a factor that is left out, or the line that is wrong. The answer is
// hidden on the whole page until it is given.

import { choice } from "../parts/controls.js";
import { element, replace, say, set } from "../parts/dom.js";
import { editOf } from "../parts/edit.js";
import { capital } from "../parts/words.js";
import { choicesOf, drawnFrom, isAsking, isClose, missingFactor, pieces, questionOf, trueValue, wrongBy, wrongLine } from "../model/question.js";
import { evaluate } from "../model/point.js";
import { levelsOf } from "../model/state.js";
import { inSigns, short, signed } from "../mathematics/numbers.js";

const LEVELS = { sign: "its sign", value: "its value", factor: "the missing factor", line: "the wrong line" };
const SCORES = { sign: "signs", value: "values", factor: "factors", line: "lines" };

const SIGNS = [[1, "+ positive"], [-1, "− negative"], [0, "0 zero"]];

// The range of random seeds: short enough to pass on.
const SEEDS = 1000;

// How often another question is drawn, where one has no answer.
const TRIES = 20;

export function quiz(place, store) {
  const { study } = store;
  const button = (text, onclick, attributes = {}) =>
    element("button", { type: "button", onclick, ...attributes }, text);
  const toggle = button("", () => store.set({ quiz: !store.state.quiz, revealed: null }));
  const next = button("another question", another);
  const score = element("span", { class: "note score" });
  const levels = choice(store, "level", "Asks for", levelsOf(study).map((level) => [level, LEVELS[level]]), (level) => ({ level, revealed: null }));
  const question = element("p", { class: "question" });
  const clue = element("p", { class: "clue" });
  const options = element("div", { class: "options", role: "group", "aria-label": "Answers" });
  const answer = element("p", { class: "answer" });
  const reasons = element("ul", { class: "reasons" });
  const more = element("div", {});
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
  const body = element("div", {}, levels.node,
    element("div", { class: "columns" }, element("div", {}, question, clue, options, value), element("div", {}, answer, reasons, more, hints)));
  place.append(
    element(
      "p",
      { class: "note" },
      `Once it starts, what it asks for is hidden on the whole page. A value is right to within 1 %, or in two digits.`,
    ),
    element("div", { class: "bar" }, toggle, next, score),
    body,
  );
  const live = document.getElementById("live");
  const scored = Object.fromEntries(levelsOf(study).map((level) => [level, [0, 0]]));
  let current = null; // the question and how far it is answered

  const told = (text) => {
    say(answer, text);
    say(live, text);
  };

  function another() {
    current = null;
    store.set(drawn(store));
    if (current) return;
    begin(store.state, store.point); // a page with one parameter asks for it again
    draw();
  }

  // One of the options is chosen: the first answer counts, and is told why.
  function guess(key) {
    if (current.isOver) return;
    const isRight = current.right.includes(key);
    over(isRight);
    const { says, points = [], node } = current.why();
    told(`${isRight ? "✓ Right" : "✗ No"}: ${says}`);
    replace(reasons, points.map((text) => element("li", {}, text)));
    replace(more, node ?? []);
    current.chosen = key;
    draw();
    next.focus({ preventScroll: true });
  }

  function over(isRight) {
    if (!current.isTried) count(isRight);
    Object.assign(current, { isTried: true, isOver: true });
    store.set({ revealed: questionOf(store.state) });
  }

  function count(isRight) {
    const pair = scored[store.state.level];
    pair[0] += isRight ? 1 : 0;
    pair[1] += 1;
    current.isTried = true;
  }

  function guessValue(event) {
    event.preventDefault();
    const guessed = parsed(field.value);
    const right = current.right[0];
    if (guessed === null) told("That is no number. 0.021, −1.6e-13 and 2·10^-5 are.");
    else if (isClose(guessed, right)) reveal();
    else {
      if (!current.isTried) count(false);
      told(`✗ Not yet: ${nearer(guessed, right)}.`);
    }
    draw();
  }

  function hint() {
    say(hints, factorsIn(study, store.point, study.gradients[store.state.parameter]));
    say(live, hints.textContent);
    draw();
  }

  function reveal() {
    const { symbol } = study.quantity[study.gradients[store.state.parameter]];
    const [right] = current.right;
    const guessed = parsed(field.value);
    const isRight = guessed !== null && isClose(guessed, right);
    over(isRight);
    hint();
    told(`${isRight ? "✓ Right" : "It is this"}: ${symbol} = ${signed(right, 6)}.`);
    draw();
    next.focus({ preventScroll: true });
  }

  function begin(state, point) {
    const asked = ASKED[state.level](study, state, point, store);
    current = { question: questionOf(state), isTried: false, isOver: false, chosen: null, ...asked };
    for (const node of [answer, hints]) say(node, "");
    for (const node of [reasons, more]) replace(node);
    field.value = "";
    const { symbol } = study.quantity[study.gradients[state.parameter]];
    say(question, current.asks);
    say(clue, current.clue ?? "");
    replace(options, (current.options ?? []).map(([key, text, attributes]) => button(text, () => guess(key), { "data-key": key, ...attributes })));
    set(options, { "data-level": state.level });
    say(value.querySelector("label"), `${symbol} =`);
    if (current.right.length === 0) say(question, `${current.asks} This has no answer here. Take another question.`);
  }

  function draw() {
    const isPossible = current.right.length > 0;
    for (const option of options.children) {
      const key = current.options.find(([of]) => String(of) === option.dataset.key)[0];
      const isRight = current.right.includes(key);
      const shown = isRight ? "right" : current.chosen === key ? "wrong" : null;
      set(option, { "aria-disabled": current.isOver || !isPossible, "data-mark": current.isOver ? shown : null });
    }
    set(value, { hidden: store.state.level !== "value" || !isAsking(store.state) || !isPossible });
    for (const node of [clue, options, answer, reasons, more, hints]) set(node, { hidden: !node.hasChildNodes() });
    const said = Object.entries(scored).filter(([, [, of]]) => of).map(([level, [right, of]]) => `${SCORES[level]} ${right} of ${of}`);
    say(score, said.join(", "));
  }

  return (state, point) => {
    set(document.body, { "data-asking": isAsking(state), "data-level": isAsking(state) ? state.level : null });
    set(toggle, { "aria-pressed": state.quiz });
    say(toggle, state.quiz ? "end the quiz" : "start the quiz");
    set(next, { hidden: !state.quiz });
    set(body, { hidden: !state.quiz });
    if (!state.quiz) {
      current = null;
      return;
    }
    levels.update(state);
    if (current?.question !== questionOf(state)) begin(state, point);
    draw();
  };
}

// ---- The questions
//
//   asks     the question
//   clue     what else is said, if anything
//   options  [[key, text, attributes], ...], unless a number is typed
//   right    the keys of the right ones, or the number; none where there is no answer
//   why      () -> {says, points, node}: the explanation, once it is answered

const ASKED = { sign: askSign, value: askValue, factor: askFactor, line: askLine };

const where = (study, { parameter }, { sample, given }) =>
  `For ${sample.name}, with the parameters as they are and ${study.quantity[parameter].symbol} = ${short(given[parameter])}`;

function askSign(study, state, point) {
  const { parameter } = state;
  const gradient = study.gradients[parameter];
  const right = Math.sign(trueValue(study, point, gradient));
  const { symbol } = study.quantity[gradient];
  return {
    asks: `${where(study, state, point)}: what is the sign of ${symbol}?`,
    options: SIGNS,
    right: Number.isNaN(right) ? [] : [right],
    why: () => ({
      says: `${symbol} is ${SIGNS.find(([of]) => of === right)[1].slice(2)}. ${meaning(study, parameter, right)}`,
      points: explained(study, point, gradient),
    }),
  };
}

function askValue(study, state, point) {
  const gradient = study.gradients[state.parameter];
  const right = trueValue(study, point, gradient);
  return { asks: `${where(study, state, point)}: what is ${study.quantity[gradient].symbol}?`, right: Number.isFinite(right) ? [right] : [] };
}

function askFactor(study, state) {
  const gradient = study.gradients[state.parameter];
  const missing = missingFactor(study, state);
  const symbol = (name) => study.quantity[name].symbol;
  const { factors } = pieces(study, gradient);
  const product = (gap) => `${symbol(gradient)} = ${factors.map((of) => (of === missing ? gap : symbol(of))).join(" · ")}`;
  const links = factors.filter((of) => study.quantity[of].derivative).map((of) => study.quantity[of].derivative.map(symbol).join(" by "));
  return {
    asks: `Which factor is left out of ${missing ? product("▢") : symbol(gradient)}?`,
    options: missing ? choicesOf(study, state).map((name) => [name, symbol(name)]) : [],
    right: missing ? [missing] : [],
    why: () => ({
      says: `${product(symbol(missing))}. One factor goes on from where the one before it ends: ${links.join(", ")}.`,
    }),
  };
}

function askLine(study, state, point, store) {
  const found = wrongLine(study, state, point);
  const gradient = study.gradients[state.parameter];
  const { symbol } = study.quantity[gradient];
  const asks = `One of the lines that lead to ${symbol} is wrong. Which?`;
  if (!found) return { asks, right: [] };
  const { mistake, lines } = found;
  const hand = wrongBy(study, state, point, mistake);
  const comes = Number.isNaN(hand) ? "no number" : signed(hand);
  const plant = () => {
    store.set({ mistake: mistake.slug, quiz: false, revealed: null });
    document.querySelector("#planted button").focus({ preventScroll: true });
  };
  return {
    asks,
    clue: `For ${point.sample.name} they give ${symbol} = ${comes}; exactly it is ${signed(trueValue(study, point, gradient))}.`,
    options: lines.map(({ code }, k) => [k, element("code", {}, code)]),
    right: lines.flatMap(({ isWrong }, k) => (isWrong ? [k] : [])),
    why: () => ({
      says: `${capital(inSigns(mistake.says))}.`,
      node: [editOf(mistake.edits), element("button", { type: "button", onclick: plant }, "plant it, and see who notices")],
    }),
  };
}

// Another question, the next one after this: a parameter, and where the page has them, a sample and a seed. Those
// are passed over that have no answer, or whose answer is one of the numbers that are given.
function drawn({ study, state }) {
  let found = state;
  for (let k = 0; k < TRIES; k += 1) {
    found = { ...found, ...following(study, found) };
    const point = evaluate(study, found);
    const { right } = ASKED[found.level](study, found, point);
    const asked = found.level === "factor" && right.length ? right[0] : study.gradients[found.parameter];
    const answer = Math.abs(trueValue(study, point, asked));
    const isGiven = Object.values(point.given).some((of) => isClose(Math.abs(of), answer));
    if (right.length && !isGiven) break;
  }
  const { parameter, sample, seed, edits, epoch } = found;
  return { parameter, sample, seed, edits, epoch, revealed: null };
}

function following(study, state) {
  const below = (count, what) => drawnFrom(`${questionOf(state)}${what}`, count);
  const others = study.parameters.filter((name) => name !== state.parameter);
  const parameter = others.length ? others[below(others.length, "parameter")] : state.parameter;
  if (study.samples.length < 2) return { parameter };
  const sample = study.samples[below(study.samples.length, "sample")].key;
  return { parameter, sample, seed: below(SEEDS, "seed"), edits: {}, epoch: 0 };
}

// ---- Words

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
