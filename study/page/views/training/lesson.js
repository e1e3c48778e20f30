// The lesson of a training: why it fails, if it does, and the effect of equal starting weights.

import { LARGEST } from "../../mathematics/mathematics.js";
import { short } from "../../mathematics/numbers.js";
import { equalUnits } from "../../model/course.js";
import { planted } from "../../model/mistakes.js";
import { UNDECIDED } from "../../model/people.js";
import { EPOCHS } from "../../model/state.js";
import { counted } from "../../parts/words.js";

// Empty if there is nothing to say.
export function lessonOf(study, state, course, given) {
  const mistake = planted(study, state);
  const sentences = [
    failure(course, state, { isOfPeople: study.people !== null, mistake }),
    // A mistake may move equal units apart.
    ...(mistake ? [] : symmetry(study, given)),
  ];
  return sentences.filter(Boolean).join(" ");
}

// Where a training gets nowhere, and what helps.
function failure({ end, epochs, means, path }, { eta }, { isOfPeople, mistake }) {
  const rate = `With η = ${short(eta)}`;
  if (end) {
    const how = end === "large" ? `grows beyond ${short(LARGEST)}` : "is no number any more";
    return `${rate} the training runs away: after ${counted(epochs, "epoch")} a parameter ${how}. ${advice("smaller")}`;
  }
  const [first, last] = [means[0], means.at(-1)];
  const isPoor = last >= Math.min(first, isOfPeople ? UNDECIDED : Infinity);
  if (!isPoor || first === 0) return null;
  const said = Number.isFinite(last) ? short(last) : "one too large for a number";
  const way = `it begins at a mean loss of ${short(first)} and ends at ${said}`;
  if (!moves(path)) return `The training gets nowhere: no update changes a parameter. ${advice("start")}`;
  // A loss that falls in every epoch has not converged yet.
  const isSlow = means.every((mean, k) => k === 0 || mean < means[k - 1]);
  if (isSlow) return `${rate} the training is slow: ${way} after ${EPOCHS} epochs, still falling. ${advice("larger")}`;
  return `${rate} the training gets nowhere: ${way}. ${advice("smaller")}`;

  function advice(what) {
    if (mistake) return "A mistake is planted in its lines.";
    return what === "start" ? "Another start helps." : `A ${what} η helps.`;
  }
}

function moves(path) {
  return path.some((params) => Object.keys(params).some((name) => params[name] !== path[0][name]));
}

// Equal units stay equal: the effect of an equal start.
function symmetry(study, given) {
  const symbol = (name) => study.quantity[name].symbol;
  return equalUnits(study, given).map((group) => {
    const equal = group[0].parameters.map((name, k) => {
      const all = group.map(({ parameters }) => symbol(parameters[k]));
      return `${all.join(" = ")} = ${short(given[name])}`;
    });
    const units = group.map(({ a }) => symbol(a));
    return [
      `${units.slice(0, -1).join(", ")} and ${units.at(-1)} are equal for every input: ${equal.join(", ")}.`,
      "Equal units get equal updates, so they stay equal: in effect they are one unit.",
      "A random start tells them apart.",
    ].join(" ");
  });
}
