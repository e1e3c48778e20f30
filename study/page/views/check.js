// How far this page's own mathematics is from Python's.

import { element } from "../parts/dom.js";
import { differenceFromPython } from "../model/point.js";
import { short } from "../mathematics/numbers.js";

export function check(place, store) {
  const { study } = store;
  const { difference, name, sample, count, passes } = differenceFromPython(study);
  const where = name ? ` (${study.quantity[name].symbol}, ${sample})` : "";
  place.append(
    element("p", {},
      `This page against Python: over ${count} numbers of ${passes} ${passes === 1 ? "pass" : "passes"} the largest relative difference is `,
      element("b", { id: "difference", "data-difference": difference }, short(difference, 2)),
      `${where}. Where a pass is one of Python's, the numbers beside a check are Python's, and the exact ones are certified.`,
    ),
  );
  return () => {};
}
