"""Edits of the kernel that change nothing anybody could see: why, and of which lines."""

#: A reason, and the lines whose edits survive for it.
EQUIVALENT: dict[str, tuple[str, ...]] = {
    "how much is computed at once changes no result": (
        "BLOCK, PRODUCTS, ROWS = 2**14, 2**26, 32",
        "rows = max(ROWS, PRODUCTS // (k * n))",
        "if max(np.size(array) for array in arrays) <= BLOCK:",
    ),
    "to reshape, NumPy takes every negative number for -1": (
        "flat = [array.reshape(-1) for array in given]",
        "result.reshape(-1)[open_ones] = outcomes",
        "places = self._sorted_ties([key.reshape(-1) for key in keys], places)",
    ),
    "all arrays there have one shape": (
        "found = [np.empty(given[0].size, dtype=object) for _ in range(outputs)]",
        "for i in range(0, given[0].size, BLOCK):",
        "results = tuple(whole.reshape(given[0].shape) for whole in found)",
        "rows = math.prod(keys[0].shape[:-1])",
        "return self._sorted_as_before(values[0]).reshape(keys[0].shape)",
        "return self._made(order, tied).reshape(keys[0].shape)",
    ),
    "the last of two axes is the second": (
        "for row in np.flatnonzero(tied.any(axis=-1)):",
        "places = row * order.shape[-1] + order[row, group]",
        "order[row, group] = places - row * order.shape[-1]",
        "values = np.take_along_axis(values, np.take_along_axis(order, first, -1), -1)",
        "self._contest(np.take_along_axis(order, sorting.by_midpoints([values]), -1))",
        "for row in np.flatnonzero(~_ascend(keys[0], order).all(axis=-1)):",
        "known = ~np.take_along_axis(nan, order, -1)",
        "in_order = np.take_along_axis(key, order, -1)",
    ),
    "it is the second of two axes; and less than what came before is nothing to a maximum": (
        "first = np.maximum.accumulate(np.where(tied, 0, np.arange(order.shape[-1])), axis=-1)",
    ),
    "of booleans a product is the same as and, a sum as or": (
        "return _bools(_is_finite(balls)) & np.isfinite(midpoints(balls))",
        "other = (result != EQUAL) & (result != outcomes) & ~tied",
        "return ((gap <= by.sharp) | enclosed) & np.isfinite(by.sharp)",
        "rounded = (gap <= by.loose) & has_digits",
        "doubtful = explained | (gap <= np.fmax(by.loose, by.jump)) | np.isinf(by.sharp)",
        "cases = [vague & explained, explained & alike, rounded, doubtful]",
    ),
    "a product of booleans is the same as and; the last of two axes is the second": (
        "found[:, 1:] = ~_ascend(key, order) & known[:, 1:] & known[:, :-1]",
    ),
    "there are as many of one as of the other": (
        "pairs = [balls.ZERO if p is q else p - q for p, q in zip(a, b, strict=True)]",
        "pairs = zip(a.flat, b.flat, strict=True)",
        "forced = dict(zip(sorted(found.flat), outcomes, strict=True))",
        "range(order.shape[-1]), key=list(zip(*numbers, strict=True)).__getitem__",
        "for start, end in zip(starts, np.append(starts[1:], tied.size), strict=True):",
    ),
    "outputs are one or more, and one result is the last, too": (
        "for whole, block in zip(found, blocks if outputs > 1 else [blocks], strict=True):",
        "return results if outputs > 1 else results[0]",
    ),
    "it only spares an array of the same numbers": (
        "if self.tangent is None or self.value.ndim == ndim:",
        "if one is None or one.shape[1:] == shape:",
    ),
    "a number that is certainly less is asked for first, and is not greater": (
        "less, greater = (np.asarray(c).astype(bool) for c in (x < y, x > y))",
        "unclear = np.asarray(~(less | greater))",
        "outcome = GREATER if first > 0 else LESS if first < 0 else EQUAL",
    ),
    "decisions are counted one by one, and small numbers are one object": (
        "if here >= len(before.made):",
        "if outcome == EQUAL and not first.is_zero():",
    ),
    "two places differ, and small numbers are one object": (
        "exchanged.append(outcome == (GREATER if i < j else LESS))",
    ),
    "radii are rounded up, so that no two balls touch": (
        "return self.c == lead(other)",
        "if not (p is q or p == q):  # balls of some radius are never certainly equal",
    ),
    "all numbers that tie are equal in the first key": (
        "by = [first.tangent[0], *(key.value for key in keys[1:])]",
    ),
    "no term beyond the third is asked for": ("series = f(arb_series([x.c, ONE], 3))",),
    "it forbids, and nobody tries": (
        "@dataclass(frozen=True)",
        "@dataclass(frozen=True, eq=False)",
    ),
    "a row of one number, or none, is sorted; a run has one element or more": (
        "if order.shape[-1] > 1:",
        "if end - start > 1:",
    ),
    "other random numbers do": (
        "mixed = np.random.default_rng(0).choice([LESS, GREATER], size=len(found.flat)).tolist()",
        "return rng.normal(size=size) * np.exp(2 * rng.normal(size=size))",
    ),
    "no other run is equal to this one": (
        "direction = None if how is flipped else balls.exact(at_random(rng, size)[None])",
    ),
}
