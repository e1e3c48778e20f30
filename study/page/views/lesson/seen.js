// What there is to see in a lesson, by its key; null as long as there is nothing, before the thing is done.
//
//   before   the point without what the reader has set in this lesson

import { costs } from "../../mathematics/layers.js";
import { mean } from "../../mathematics/mathematics.js";
import { inUlps, short, signed } from "../../mathematics/numbers.js";
import { course } from "../../model/course.js";
import { drawnPass, typical } from "../../model/deep.js";
import { planted } from "../../model/mistakes.js";

// Of the 16 digits of a float64, those that so many ulps leave right, as compare/traced/terminal.py counts them.
const digitsLeft = (ulps) => Math.max(0, Math.round(16 - Math.log10(ulps)));

const change = (from, to) => signed(to - from, 3);

export const SEEN = {
  slope({ study, point, before }) {
    const by = point.given.w1 - before.given.w1;
    if (by === 0) return null;
    const said = before.by_hand.dL_dw1 * by;
    return `w1 moved by ${signed(by)}. The slope ${signed(before.by_hand.dL_dw1)} said that L moves by ${signed(said)}; it moves by ${change(before.by_hand[study.loss], point.by_hand[study.loss])}. Close, not equal: the slope itself changes on the way, and less so on a shorter one.`;
  },
  chain({ study, point, before }) {
    if (point.given.w5 === before.given.w5) return null;
    const factors = study.quantity.dL_dw1.factors.map((name) => {
      const [from, to] = [before.by_hand[name], point.by_hand[name]];
      const { symbol } = study.quantity[name];
      return from === to ? `${symbol} stays at ${signed(to)}` : `${symbol} goes from ${signed(from)} to ${signed(to)}`;
    });
    const flatter = [before, point].map(({ by_hand }) => signed(by_hand.dypred_dz3));
    return `${factors.join(";\n")}.\nWhat stays lies before w5 and knows nothing of it; the slope by ypred moves because ypred does. The one between is w5 times the slope of σ at z3, and while w5 doubled, that went from ${flatter.join(" to ")}.`;
  },
  paths({ study, point, before }) {
    const by = point.given.w1 - before.given.w1;
    if (by === 0 || point.given.w3 !== point.given.w1) return null;
    const [first, second] = [before.by_hand.dL_dw1, before.by_hand.dL_dw3];
    return `t moved by ${signed(by)}. Through h1 alone L should move by ${signed(first * by)}, through h2 alone by ${signed(second * by)}, along both by ${signed((first + second) * by)}. It moves by ${change(before.by_hand[study.loss], point.by_hand[study.loss])}.`;
  },
  backwards({ study, state }) {
    const { inputs, layers } = study.drawing;
    const sizes = { "The article's network": [inputs.length, ...layers.map((layer) => layer.length)], "The one below": drawnPass(state).sizes };
    const counts = Object.entries(sizes).map(([name, of]) => {
      const { parameters, there, back } = costs(of);
      const [nudging, both] = [(parameters + 1) * there, there + back].map((count) => count.toLocaleString("en-US"));
      return `${name}: ${(parameters + 1).toLocaleString("en-US")} passes and ${nudging} multiplications (by a weight, an input or a slope of σ) by nudging, and ${both} by going forward and back once: nudging takes ${((parameters + 1) * there / (there + back)).toLocaleString("en-US", { maximumFractionDigits: 0 })} times as many`;
    });
    return `${counts.join(".\n")}.`;
  },
  descent({ study, state }) {
    if (state.epoch === 0) return null;
    const run = course(study, state);
    const first = (Math.min(state.epoch, run.epochs) - 1) * run.count;
    const steps = Array.from({ length: run.count }, (_, k) => {
      const { sample, own, expected } = run.update(first + k, state.eta);
      return `${study.samples[sample].name}: predicted ${signed(expected)}, real ${change(...own)}`;
    });
    const [before, after] = [first, first + run.count].map((at) => run.lossesAt(run.path[at]));
    const risen = study.samples.filter((_, k) => after[k] > before[k]).map(({ name }) => name);
    const all = `Over the epoch the mean loss goes from ${short(mean(before))} to ${short(mean(after))}`;
    const others = risen.length ? `${risen.join(" and ")} ended with a higher loss than before: the others' steps were larger.` : "Nobody's loss rose in this one.";
    return `Each step changed the loss of the person whose turn it was.\n${steps.join(";\n")}.\n${all}. ${others}`;
  },
  saturation({ state, point }) {
    if (state.form === "stable") return null;
    return `∂L/∂w1 by hand is now ${inUlps(point.ulps.by_hand.dL_dw1)} units of its last digit away from the exact one: of its 16 digits, ${digitsLeft(point.ulps.by_hand.dL_dw1)} are right. With σ(z) σ(−z) it is within a few. In exact arithmetic both are the same; in the computer's digits they are not.`;
  },
  symmetry({ study, state, point }) {
    if (state.epoch === 0) return null;
    const { given } = point;
    const both = `w1 = ${short(given.w1)} and w3 = ${short(given.w3)}`;
    const loss = short(mean(course(study, state).lossesAt(given)));
    const are = given.w1 === given.w3 ? "the twins are still twins" : "two units that do different things";
    return `After ${state.epoch} epochs ${both}: ${are}. The mean loss is ${loss}.`;
  },
  agreement({ study, state, point }) {
    if (!planted(study, state)) return null;
    return `By hand ∂L/∂ypred = ${signed(point.by_hand.dL_dypred)}, autodiff says ${signed(point.autodiff.dL_dypred)}: now that only one side has it, the comparison sees it.`;
  },
  depth({ state }) {
    const left = ["sigmoid", "relu"].map((act) => {
      const means = drawnPass({ ...state, act }).deltas.map(typical);
      return means[0] > 0 ? short(means[0] / means.at(-1), 2) : "0";
    });
    return `With weights drawn about ${short(state.scale)}/√n from 0, for n inputs of a unit, ∂L/∂z in the first layer is ${left[0]} times that in the last with sigmoid, and ${left[1]} times with ReLU.`;
  },
};
