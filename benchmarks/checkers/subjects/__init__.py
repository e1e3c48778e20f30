"""The subjects of the comparison: models as people write them, and what they get wrong in them."""

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects import (
    article,
    attention,
    brier,
    convolution,
    elman,
    embedding,
    gated,
    layer_norm,
    letters,
    linear,
    logistic,
    margin,
    relu_columns,
    relu_deep,
    residual,
    sigmoid_bce,
    softmax_classifiers,
    tanh_mse,
)

SUBJECTS: list[Subject] = [
    *article.SUBJECTS,
    *sigmoid_bce.SUBJECTS,
    *tanh_mse.SUBJECTS,
    *logistic.SUBJECTS,
    *softmax_classifiers.SUBJECTS,
    *brier.SUBJECTS,
    *linear.SUBJECTS,
    *relu_columns.SUBJECTS,
    *residual.SUBJECTS,
    *relu_deep.SUBJECTS,
    *elman.SUBJECTS,
    *letters.SUBJECTS,
    *convolution.SUBJECTS,
    *embedding.SUBJECTS,
    *layer_norm.SUBJECTS,
    *gated.SUBJECTS,
    *attention.SUBJECTS,
    *margin.SUBJECTS,
]
