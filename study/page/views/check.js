// Compare the page's own mathematics with Python's.

import { counted } from "../parts/words.js";
import { element } from "../parts/dom.js";
import { differenceFromPython } from "../model/point.js";
import { short } from "../mathematics/numbers.js";

export function check(place, store) {
  const { study } = store;
  const { difference, name, sample, count, passes } = differenceFromPython(study);
  const where = name ? ` (${study.quantity[name].symbol}, ${sample})` : "";
  place.append(
    element("p", {},
      `Compared when this page was opened: ${count} numbers of ${counted(passes, "pass", "passes")}, by hand and exact, with Python's. The largest relative difference is `,
      element("b", { id: "difference", "data-difference": difference }, short(difference, 2)),
      `${where}. At those passes the numbers that are shown are Python's own.`,
    ),
  );
  return () => {};
}
