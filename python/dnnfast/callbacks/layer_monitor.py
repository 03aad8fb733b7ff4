"""What happens inside of the layers while a model learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback

# Shares of the range of a bounded activation at whose ends it counts as saturated.
_SATURATED = 0.02
_BOUNDS = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_MOST_ROWS = 256

QUANTITIES = (
    "mean",
    "deviation",
    "dead",
    "saturated",
    "gradient",
    "update_ratio",
)


class LayerMonitor(Callback):
    """Records per layer and epoch what shows vanishing or exploding gradients and dead units.

    At the end of each epoch it looks at the batch of the epoch's first step (at most 256 samples):
    one pass forward and one backward. `history` holds, by quantity and layer, one number an epoch:

    - ``mean``, ``deviation``: of the layer's outputs in training mode;
    - ``dead``: share of units that are 0 for all samples;
    - ``saturated``: share of outputs within 2 % of an end of a sigmoid's or tanh's range;
    - ``gradient``: norm of the gradient of the layer's weights, over the root of their number;
    - ``update_ratio``: norm of the first step's change of the weights over that of the weights.

    Args:
        every: look in every so many epochs. Default 1.

    Raises:
        ValueError: if ``every`` is not a positive integer.

    Example:
        >>> import numpy, dnnfast as keras
        >>> layers = [keras.Input((4,)), keras.layers.Dense(8, "relu", name="hidden")]
        >>> model = keras.Sequential([*layers, keras.layers.Dense(1, name="out")])
        >>> model.compile("sgd", "mse")
        >>> monitor = keras.callbacks.LayerMonitor()
        >>> x = numpy.random.default_rng(0).normal(size=(64, 4))
        >>> _ = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[monitor])
        >>> sorted(monitor.history["gradient"]), len(monitor.history["gradient"]["hidden"])
        (['hidden', 'out'], 2)
    """

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"LayerMonitor: every must be a positive integer, got {every!r}.")
        self.every = every
        self.epochs: list[int] = []
        self.history: dict[str, dict[str, list[float]]] = {name: {} for name in QUANTITIES}
        self._outputs: Any = None
        self._epoch = 0
        self._before: dict[str, np.ndarray] = {}
        self._sample: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget the programs of an earlier training."""
        self._outputs = None

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return what was recorded so far."""
        return {"epochs": list(self.epochs), "history": self.history}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on with the record of before an interruption."""
        self.epochs, self.history = list(state["epochs"]), state["history"]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Learn the number of the epoch."""
        self._epoch = epoch

    def wants_probe(self) -> bool:
        """Tell whether the next step is to be looked at."""
        return self._epoch % self.every == 0

    def on_probe_begin(self) -> None:
        """Keep the weights from before the step."""
        self._before = {v.path: v.numpy() for v in self.model.trainable_weights}

    def on_probe_end(self, data: Any, rows: np.ndarray) -> None:
        """Measure the step that took these rows."""
        from dnnfast.training.inspection import rows_of

        self._sample = rows_of(data, rows[:_MOST_ROWS])
        for layer, variables in self._weights_of_layers().items():
            change = weight = 0.0
            for variable in variables:
                before = self._before[variable.path]
                change += float(np.square(variable.numpy() - before).sum())
                weight += float(np.square(before).sum())
            ratio = np.sqrt(change / weight) if weight else 0.0
            self._record("update_ratio", layer, ratio)
        self._before = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the layers."""
        from dnnfast.training.inspection import LayerOutputs, gradients

        sample, self._sample = self._sample, None
        if sample is None:
            return
        self.epochs.append(epoch)
        if self._outputs is None:
            self._outputs = LayerOutputs(self.model)
        found = gradients(self.model, sample)
        for layer, variables in self._weights_of_layers().items():
            size = sum(v.size for v in variables)
            squares = sum(float(np.square(found[v.path]).sum()) for v in variables)
            self._record("gradient", layer, np.sqrt(squares / size))
        for name, values in self._outputs.run(sample.inputs, True).items():
            self._record_outputs(name, values)

    def _record(self, quantity: str, layer: str, value: float) -> None:
        self.history[quantity].setdefault(layer, []).append(float(value))

    def _weights_of_layers(self) -> dict[str, list[Any]]:
        layers: dict[str, list[Any]] = {}
        for variable in self.model.trainable_weights:
            layers.setdefault(variable.path.rpartition("/")[0], []).append(variable)
        return layers

    def _record_outputs(self, name: str, values: np.ndarray) -> None:
        flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values[:, None]
        self._record("mean", name, flat.mean())
        self._record("deviation", name, flat.std())
        self._record("dead", name, np.mean((flat == 0).all(axis=0)))
        bounds = _BOUNDS.get(self._activation_of(name))
        if bounds is None:
            return
        margin = _SATURATED * (bounds[1] - bounds[0])
        ends = (flat < bounds[0] + margin) | (flat > bounds[1] - margin)
        self._record("saturated", name, ends.mean())

    def _activation_of(self, name: str) -> str:
        layer: Any = self.model
        for part in name.split("/"):
            inside = [x for x in getattr(layer, "layers", []) if x.name == part]
            if not inside:
                return ""
            layer = inside[0]
        activation = getattr(layer, "activation", None)
        return str(getattr(activation, "__name__", ""))

    def plot(
        self,
        quantities: Sequence[str] = ("deviation", "gradient", "update_ratio"),
        path: Any = None,
    ) -> Any:
        """Draw a panel for each quantity: one line a layer, over epochs.

        Args:
            quantities: of those in `history`.
            path: file to write (``.png``, ``.svg``); default None, only return the figure.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: if matplotlib is missing.
            ValueError: if a quantity is not known, or nothing was recorded.
        """
        from dnnfast.plots.panels import line_panels

        for quantity in quantities:
            if quantity not in self.history:
                raise ValueError(
                    f"LayerMonitor.plot: unknown quantity {quantity!r}; expected some of "
                    f"{', '.join(QUANTITIES)}."
                )
        if not self.epochs:
            raise ValueError("LayerMonitor.plot: nothing was recorded; pass it to fit first.")
        panels = {name.replace("_", " "): self.history[name] for name in quantities}
        logarithmic = {"gradient", "update ratio", "deviation"}
        epochs = [e + 1 for e in self.epochs]
        figure = line_panels(panels, epochs, logarithmic, "LayerMonitor.plot")
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure

    @staticmethod
    def compare(
        monitors: Mapping[str, LayerMonitor], quantity: str = "gradient", path: Any = None
    ) -> Any:
        """Draw one quantity of several trainings side by side, a panel for each.

        Args:
            monitors: what was recorded, by the title of the panel.
            quantity: one of those in `history`.
            path: file to write; default None, only return the figure.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: if matplotlib is missing.
        """
        from dnnfast.plots.panels import line_panels

        panels = {title: monitor.history[quantity] for title, monitor in monitors.items()}
        most = max(monitors.values(), key=lambda monitor: len(monitor.epochs))
        epochs = [e + 1 for e in most.epochs]
        figure = line_panels(panels, epochs, set(panels), "LayerMonitor.compare")
        low = min(axes.get_ylim()[0] for axes in figure.axes)
        high = max(axes.get_ylim()[1] for axes in figure.axes)
        for axes in figure.axes:
            axes.set_ylim(low, high)
        figure.axes[0].set_ylabel(quantity.replace("_", " "))
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure
