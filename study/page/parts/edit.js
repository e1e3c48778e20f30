// A line of code as it is, and as a mistake has it.

import { element } from "./dom.js";

// For edits [[right, wrong], ...]; a line that is only added has no right one.
export const editOf = (edits) =>
  element("dl", { class: "edit" }, edits.flatMap(([right, wrong]) => [
    ...(right ? line("right", "right", right) : []),
    ...line("wrong", right ? "wrong" : "added", wrong),
  ]));

const line = (kind, word, code) => [element("dt", {}, word), element("dd", { class: kind }, element("code", {}, code))];
