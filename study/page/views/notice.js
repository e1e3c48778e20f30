// A notice about invalid parts of the address.

import { say, set } from "../parts/dom.js";

export function notice(place, store) {
  return () => {
    const unread = store.unread.join(" and ");
    set(place, { hidden: !unread });
    say(place, unread && `The address says ${unread}, which means nothing here; everything else in it is followed.`);
  };
}
