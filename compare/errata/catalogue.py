"""The list of all errata, in their order."""

from compare.errata import (
    biology,
    chain,
    descent,
    line,
    loss,
    points,
    seeds,
    several_features,
    surface,
    table,
    three_digits,
)
from compare.errata.entry import Erratum

ERRATA: tuple[Erratum, ...] = (
    loss.missing_square,
    loss.index_from_zero,
    chain.y_partial,
    chain.only_through_h1,
    chain.unfinished_factors,
    descent.signs,
    descent.first_order,
    surface.ten_dimensions,
    surface.slope_of_a_slice,
    descent.order_of_samples,
    line.slope_or_correlation,
    line.exchanged_axes,
    several_features.closed_form,
    points.through_all_points,
    line.absolute_or_squared,
    table.shift_or_normalise,
    table.mark_of_fifty,
    biology.year_and_name,
    biology.where_released,
    biology.ions,
    seeds.no_seed,
    three_digits.rounded_on_the_way,
)
