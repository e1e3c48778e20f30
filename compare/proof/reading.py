"""The text of a proof: partial derivatives with verdicts, lemmas, a closing line."""

from collections.abc import Iterator

from compare.proof.formula import Writer
from compare.proof.prove import PROVED, REFUTED, Proof
from compare.proof.result import Result

#: Longer formulas are left to --json.
LONGEST = 100


def lines_of(result: Result) -> Iterator[str]:
    """Yield the lines of the text, except the closing one."""
    if result.proof is not None:
        yield from _partials(result.proof)
        yield from _point(result.proof)
        yield ""
    for lemma in result.also:
        yield f"{lemma.says}  {'proved' if lemma.proved else 'not proved'}"
    if result.also:
        yield ""


def closing(result: Result) -> tuple[str, str]:
    """Return the verdict and its reason."""
    proof = result.proof
    if proof is None or result.verdict not in (PROVED, REFUTED):
        return result.verdict, str(result.reason)
    if partial := proof.refutation:
        wrong = sum(of.verdict == REFUTED for of in proof.partials)
        more = f", and {wrong - 1} more are not" if wrong > 1 else ""
        return REFUTED, f"∂L/∂{partial.name} by hand is not the derivative of the loss{more}"
    but = " but at a kink" if proof.kinks else ""
    return f"proved for all real weights and inputs{but}", "; ".join(_because(result, proof))


def _because(result: Result, proof: Proof) -> list[str]:
    count, loss = len(proof.partials), result.request.differentiated
    because = [f"all {count} partial derivatives by hand are identically those of {loss}"]
    if proof.cases > 1:
        because.append(f"in each of {proof.cases} cases of signs")
    if proof.kinks:
        kinks = Writer(proof).kinks(proof.kinks)
        more = f" and {len(kinks) - 3} more" if len(kinks) > 3 else ""
        because.append(f"excluded, where there is no derivative: {', '.join(kinks[:3])}{more}")
    return because


def _partials(proof: Proof) -> Iterator[str]:
    writer = Writer(proof)
    for of in proof.partials:
        formula = writer.tree(of.by_hand)
        shown = f" = {formula}" if len(formula) <= LONGEST else ""
        yield f"∂L/∂{of.name}{shown}  {of.verdict}"


def _point(proof: Proof) -> Iterator[str]:
    """Yield the point at which the first refuted partial derivative is wrong."""
    if (partial := proof.refutation) and (wrong := partial.difference):
        yield ""
        at = ", ".join(f"{name} = {value}" for name, value in wrong.point.items())
        yield f"∂L/∂{partial.name} at {at}:"
        yield f"  by hand  {wrong.by_hand}"
        yield f"  exact    {wrong.exact}"
