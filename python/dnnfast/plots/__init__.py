"""Plots of trainings and models; matplotlib is needed when one is drawn.

Nothing is shown by itself: a plot is drawn into the axes given as ``ax``, or into a new figure,
which is one of pyplot where the caller has imported that, so that ``plt.show()`` shows it.
Notebooks show each once.
"""

from dnnfast.plots.classification import confusion_matrix, decision_boundary
from dnnfast.plots.curves import predictions, training_curves
from dnnfast.plots.histograms import activation_histograms, weight_histograms
from dnnfast.plots.uncertainty import confidence, uncertainty_band

__all__ = [
    "activation_histograms",
    "confidence",
    "confusion_matrix",
    "decision_boundary",
    "predictions",
    "training_curves",
    "uncertainty_band",
    "weight_histograms",
]
