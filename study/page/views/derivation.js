// The whole derivation for print: created when the page is printed, and removed afterwards.

import { element, replace, set } from "../parts/dom.js";
import { short, shortest } from "../mathematics/numbers.js";
import { course } from "../model/course.js";
import { planted } from "../model/mistakes.js";
import { FORMS, toAddress } from "../model/state.js";
import { sideBySide } from "./errata.js";
import { picture } from "./network.js";
import { PHASES } from "./steps.js";
import { witnesses } from "../parts/witnesses.js";
import { counted } from "../parts/words.js";

// As wide as the network is drawn, in its own units; on paper it is as wide as the text.
const WIDTH = 640;

export function derivation(place, store) {
  // Browsers announce printing by one of these events, or by both.
  const paper = matchMedia("print");
  let isPrinted = false;
  const write = () => replace(place, isPrinted ? sheets(store) : []);
  const turn = (to) => {
    if (to === isPrinted) return;
    isPrinted = to;
    write();
  };
  addEventListener("beforeprint", () => turn(true));
  addEventListener("afterprint", () => turn(paper.matches));
  paper.addEventListener("change", () => turn(paper.matches));
  queueMicrotask(() => turn(paper.matches)); // once all views are mounted
  return () => {
    if (isPrinted) write();
  };
}

function sheets(store) {
  const { study } = store;
  return [
    element("h1", {}, "Backpropagation, step by step: the whole derivation"),
    about(store),
    onPaper(store, "values"),
    given(store),
    ...Object.keys(PHASES).map((phase) => part(store, phase)),
    study.errata && slips(study.errata),
    end(store),
  ].filter(Boolean);
}

// The network with thinner lines: black on white looks heavier than on a screen.
function onPaper(store, show) {
  const drawing = picture(store, show, WIDTH);
  for (const edge of drawing.querySelectorAll(".edge")) set(edge, { "stroke-width": edge.getAttribute("stroke-width") / 2 });
  return drawing;
}

// The example, the parameters, and settings that differ from the defaults.
function about({ study, state, point }) {
  const from = state.seed === null ? study.starts[0].says : `parameters drawn at random with seed ${state.seed}`;
  const edited = Object.keys(state.edits).map((name) => study.quantity[name].symbol);
  const mistake = planted(study, state);
  const epochs = Math.min(state.epoch, course(study, state).epochs); // it may have broken off
  const says = [
    `Whose pass: ${point.sample.name}. Parameters: ${from}.`,
    state.epoch > 0 && `They were then trained for ${counted(epochs, "epoch")}, with the samples in ${state.order} order.`,
    edited.length > 0 && `Set by the reader: ${edited.join(", ")}.`,
    `Learning rate η = ${short(state.eta)}.`,
    Object.keys(study.programs).length > 1 && `By hand σ′ is computed as ${FORMS[state.form]}.`,
    mistake && `A mistake is planted in the lines by hand: ${mistake.says}.`,
  ];
  return element("p", {}, says.filter(Boolean).join(" "));
}

function given({ study, point }) {
  const all = study.quantities.filter(({ step }) => step === 0);
  const one = ({ name, symbol }) =>
    element("li", { "data-quantity": name }, `${symbol} = `, element("span", { class: "value" }, shortest(point.given[name])));
  return element("section", {}, element("h2", {}, "Given"), element("ul", { class: "given" }, all.map(one)));
}

function part(store, phase) {
  const steps = store.study.steps.filter((step) => step.phase === phase);
  return element(
    "section",
    { "data-phase": phase },
    element("h2", {}, PHASES[phase]),
    phase === "backward" && onPaper(store, "gradients"),
    steps.flatMap((step) => oneStep(store, step)),
  );
}

function oneStep(store, { number, title, names }) {
  const [first, ...others] = names.map((name) => quantity(store, name));
  // Keep the title on one page with what follows it.
  return [element("div", { class: "whole" }, element("h3", {}, element("span", { class: "note" }, `Step ${number}: `), title), first), ...others];
}

// A quantity as on the screen, with the line of code that computes it.
function quantity({ study, point }, name) {
  const of = study.quantity[name];
  const { node, update } = witnesses(of);
  update(point);
  node.append(element("p", { class: "line" }, element("code", {}, of.statement), element("span", {}, of.where)));
  return node;
}

function slips(errata) {
  const one = (slip) =>
    element(
      "div",
      { class: "whole", "data-erratum": slip.number },
      element("h3", {}, `${slip.number}. ${slip.title} (${slip.section})`),
      sideBySide(slip),
      element("p", {}, `${slip.why} ${slip.says}`),
    );
  return element("section", {}, element("h2", {}, "Errata of the article"), errata.map(one));
}

function end({ study, state }) {
  const choices = toAddress(study, state);
  const address = location.href.replace(/#.*/, "") + (choices && `#${choices}`);
  const check = document.getElementById("check").textContent;
  return element("div", { class: "end whole" }, element("p", {}, check), element("p", {}, `This state of the page: ${address}`));
}
