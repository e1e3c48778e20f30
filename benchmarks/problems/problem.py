"""What is timed, a loss and its gradient or a training, and what judges answers to it."""

from typing import TypeAlias

from benchmarks.problems.gate import Gate
from benchmarks.problems.gradient import GradientProblem
from benchmarks.problems.training import TrainingProblem

Problem: TypeAlias = GradientProblem | TrainingProblem
Judge: TypeAlias = Gate | TrainingProblem
