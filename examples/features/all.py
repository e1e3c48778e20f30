"""All features, in the order of the table."""

from examples.features import (
    audits,
    black_boxes,
    complex_numbers,
    devices,
    domains,
    forms,
    matrices,
    matrix_domains,
    rules,
    scipy_calls,
)
from examples.features.table import Feature

FEATURES: dict[str, Feature] = {
    **matrices.FEATURES,
    **scipy_calls.FEATURES,
    **rules.FEATURES,
    **complex_numbers.FEATURES,
    **domains.FEATURES,
    **matrix_domains.FEATURES,
    **black_boxes.FEATURES,
    **forms.FEATURES,
    **devices.FEATURES,
    **audits.FEATURES,
}
