// The course of a training: the losses, from the parameters after each update.

import { losses, mean } from "../mathematics/mathematics.js";
import { samplesOf, training } from "./point.js";

const known = new WeakMap();

// The chosen training, cached with its path.
export function course(study, state) {
  const { path, order, end } = training(study, state);
  if (!known.has(path)) known.set(path, new Course(losses(study, study.programs[state.form], samplesOf(study, state)), path, order, end));
  return known.get(path);
}

class Course {
  // `lossesAt` gives the loss of each sample at any parameters.
  constructor(lossesAt, path, order, end) {
    this.path = path;
    this.end = end;
    this.order = order;
    this.lossesAt = lossesAt;
    this.count = lossesAt(path[0]).length;
    this.updates = path.length - 1;
    // The number of complete epochs.
    this.epochs = Math.floor(this.updates / this.count);
    this.means = Array.from({ length: this.epochs + 1 }, (_, epoch) => this.mean(epoch * this.count));
  }

  // The mean loss after so many updates.
  mean(updates) {
    return mean(this.lossesAt(this.path[updates]));
  }

  // The effect of one update, counted from 0, on its own sample's loss and on the mean.
  //
  // `expected` is the change of its own to first order, -η‖∇L‖²: but for the rounding of the parameters
  // the step is -η∇L, so that is its square over η.
  update(at, rate) {
    const [from, to] = [this.path[at], this.path[at + 1]];
    const [before, after] = [this.lossesAt(from), this.lossesAt(to)];
    const square = Object.keys(to).reduce((sum, name) => sum + (to[name] - from[name]) ** 2, 0);
    const sample = this.order[at];
    return {
      sample,
      own: [before[sample], after[sample]],
      mean: [mean(before), mean(after)],
      expected: -square / rate,
    };
  }

  // Count the updates that raise the loss of their own sample, and those that raise the mean: `found`.
  counted() {
    if (this.found) return this;
    this.found = { own: 0, mean: 0 };
    let before = this.lossesAt(this.path[0]);
    for (let at = 0; at < this.updates; at += 1) {
      const after = this.lossesAt(this.path[at + 1]);
      const sample = this.order[at];
      this.found.own += after[sample] > before[sample];
      this.found.mean += mean(after) > mean(before);
      before = after;
    }
    return this;
  }
}

// Units of one layer that compute the same: equal incoming and outgoing weights.
//
// Returns lists of two or more, each unit as {a, parameters}: its activation, and its parameters in
// an order that is the same for all of the list.
export function equalUnits(study, given) {
  const { layers, edges } = study.drawing;
  const groups = layers.slice(0, -1).flatMap((layer) => {
    const alike = new Map();
    for (const { z, a, b } of layer) {
      const incoming = edges.filter((edge) => edge.to === z).map((edge) => edge.parameter);
      const outgoing = edges.filter((edge) => edge.from === a).map((edge) => edge.parameter);
      const parameters = [...incoming, ...(b ? [b] : []), ...outgoing];
      const key = parameters.map((name) => given[name]).join();
      alike.set(key, [...(alike.get(key) ?? []), { a, parameters }]);
    }
    return [...alike.values()];
  });
  return groups.filter((group) => group.length > 1);
}
