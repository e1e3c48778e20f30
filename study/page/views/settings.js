// What a reader may want to set later: which digits and what edges show, and the form of σ' by hand.

import { FORMS } from "../model/state.js";
import { choice } from "../parts/controls.js";
import { set } from "../parts/dom.js";

export function settings(place, store) {
  const forms = Object.keys(store.study.programs).map((form) => [form, FORMS[form]]);
  const choices = [
    choice(store, "digits", "Digits", [[false, "where they differ"], [true, "all"]]),
    choice(store, "show", "Edges show", [["auto", "what the step computes"], ["values", "values"], ["gradients", "gradients"]]),
    ...(forms.length > 1 ? [choice(store, "form", "σ′ by hand as", forms)] : []),
  ];
  place.append(...choices.map(({ node }) => node));
  return (state) => {
    for (const of of choices) of.update(state);
    set(document.body, { "data-digits": state.digits });
  };
}
