"""Says what each field of a dataset holds, how sure that is, and why. One interface; the first implementation."""

from beholden.atlas.classify.model import Alternative, Classifier, Evidence, Exit, FieldClass
from beholden.atlas.classify.rules import RuleClassifier

__all__ = ["Alternative", "Classifier", "Evidence", "Exit", "FieldClass", "RuleClassifier"]
