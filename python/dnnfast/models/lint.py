"""Looks for known traps in a model before it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Hidden layers from which on a net counts as deep here.
_DEEP = 4
_SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "softmax")
_LECUN = ("LecunNormal", "LecunUniform")
_HE = ("HeNormal", "HeUniform")
_RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "LeakyReLU", "ReLU", "PReLU", "ELU")


@dataclass(frozen=True)
class Finding:
    """Something that is likely to hurt: where, which rule, and why with what to do."""

    layer: str
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.reason} [{self.rule}]"


def _name_of(thing: Any) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__)) if thing is not None else "linear"


def _initializer(layer: Any) -> str:
    found = layer.kernel_initializer
    config = found.get_config() if hasattr(found, "get_config") else {}
    if type(found).__name__ == "VarianceScaling" and config.get("mode") == "fan_in":
        names = {1.0: "LecunNormal", 2.0: "HeNormal"}
        return names.get(float(config.get("scale", 0.0)), "VarianceScaling")
    return type(found).__name__


class _Linter:
    def __init__(self, model: Any) -> None:
        self.model = model
        self.findings: list[Finding] = []
        every = [layer for layer in model._all_layers() if not hasattr(layer, "layers")]
        self.layers = [layer for layer in every if type(layer).__name__ != "InputLayer"]
        self.dense = [x for x in self.layers if type(x).__name__ == "Dense"]

    def add(self, layer: Any, rule: str, reason: str) -> None:
        """Record a finding."""
        name = layer if isinstance(layer, str) else layer.name
        self.findings.append(Finding(name, rule, reason))

    def _after(self, layer: Any) -> str:
        """Return the activation that follows a dense layer, of its own or as the next layers."""
        own = _name_of(getattr(layer, "activation", None))
        if own != "linear":
            return own
        for following in self.layers[self.layers.index(layer) + 1 :]:
            kind = type(following).__name__
            if kind == "Activation":
                return _name_of(following.activation)
            if kind in ("LeakyReLU", "ReLU", "PReLU", "ELU", "RReLU"):
                return kind
            if kind not in ("BatchNormalization", "Dropout", "LayerNormalization"):
                break
        return "linear"

    def structure(self) -> None:
        """Check what layers follow each other."""
        kinds = [type(layer).__name__ for layer in self.layers]
        normalized = "BatchNormalization" in kinds
        hidden = self.dense[:-1]
        for layer in hidden:
            activation, start = self._after(layer), _initializer(layer)
            if activation == "selu" and start not in _LECUN:
                self.add(
                    layer,
                    "selu-init",
                    f"SELU keeps its outputs normalized only from LeCun initialization, not {start}"
                    '; use kernel_initializer="lecun_normal".',
                )
            if activation == "selu" and normalized:
                self.add(
                    layer,
                    "selu-batchnorm",
                    "SELU normalizes by itself; BatchNormalization beside it undoes that. Keep one "
                    "of the two.",
                )
            if activation in _RECTIFIERS and len(hidden) >= _DEEP and start not in _HE:
                self.add(
                    layer,
                    "rectifier-init",
                    f"{activation} halves the variance in every layer from {start} initialization; "
                    'use kernel_initializer="he_normal".',
                )
            if activation in _SQUASHING and len(hidden) >= _DEEP and not normalized:
                self.add(
                    layer,
                    "saturating-hidden",
                    f"{activation} in a hidden layer of a deep net makes gradients vanish; use "
                    "relu, elu or selu, or BatchNormalization.",
                )
            if start in ("Zeros", "Ones", "Constant"):
                self.add(
                    layer,
                    "symmetric-init",
                    f"with {start} weights all units of the layer stay equal; draw them at random.",
                )
        self._pairs(kinds)

    def _pairs(self, kinds: list[str]) -> None:
        activations = {self._after(layer) for layer in self.dense[:-1]}
        for i, layer in enumerate(self.layers):
            following = kinds[i + 1] if i + 1 < len(kinds) else ""
            linear = _name_of(getattr(layer, "activation", None)) == "linear"
            if (
                kinds[i] == "Dense"
                and following == "BatchNormalization"
                and linear
                and layer.use_bias
            ):
                self.add(
                    layer,
                    "bias-before-batchnorm",
                    "BatchNormalization subtracts the mean, so the bias before it does nothing; "
                    "use use_bias=False.",
                )
            if kinds[i] in ("Dropout", "MCDropout") and "selu" in activations:
                self.add(
                    layer,
                    "selu-dropout",
                    "plain dropout breaks SELU's normalization; use AlphaDropout.",
                )
            rate = getattr(layer, "rate", 0.0)
            if "Dropout" in kinds[i] and isinstance(rate, float) and rate > 0.7:
                self.add(
                    layer,
                    "dropout-rate",
                    f"a dropout rate of {rate:g} leaves little to learn from.",
                )

    def objective(self) -> None:
        """Check the loss against the last layer."""
        spec = self.model._spec
        if spec is None or spec.loss is None or not self.dense:
            return
        last = self.dense[-1]
        resolved = spec.resolve(self.model._outputs(), None)
        if len(resolved.losses) != 1:
            return
        loss, activation = resolved.losses[0][1], self._after(last)
        logits = bool(getattr(loss, "from_logits", False))
        if logits and activation in ("softmax", "sigmoid"):
            self.add(
                last,
                "logits",
                f"the loss expects logits (from_logits=True), but the layer applies {activation}; "
                "leave out one of them.",
            )
        if not logits and loss.name.endswith("crossentropy") and activation == "linear":
            self.add(
                last,
                "probabilities",
                f"{loss.name} expects probabilities, but the layer is linear; use "
                'activation="softmax" (or "sigmoid"), or from_logits=True.',
            )
        if loss.name == "mean_squared_error" and activation in ("relu", "sigmoid", "tanh"):
            self.add(
                last,
                "bounded-regression",
                f"{activation} bounds the predictions of a regression; targets outside of its "
                "range cannot be reached.",
            )

    def data(self, x: Any) -> None:
        """Check the scale of samples."""
        kinds = [type(layer).__name__ for layer in self.layers]
        if kinds and kinds[0] in ("Normalization", "BatchNormalization", "Rescaling", "Embedding"):
            return
        for i, array in enumerate(x if isinstance(x, (list, tuple)) else [x]):
            values = np.asarray(array)[:1000].astype(np.float64)
            columns = values.reshape(len(values), -1)
            scale = columns.std(axis=0)
            largest = float(np.abs(columns).max(initial=0.0))
            if largest > 10 or float(scale.max(initial=0.0)) > 5:
                self.add(
                    f"input {i}",
                    "unscaled-input",
                    f"values reach {largest:.3g}; nets learn best from about -1 to 1. Divide "
                    "images by 255, or begin with a Normalization layer.",
                )

    def training(self, y: Any, shuffle: Any, suggested_rate: Any) -> None:
        """Check how it is to be trained."""
        optimizer = self.model.optimizer
        if shuffle is False and y is not None and _is_sorted(np.asarray(y)):
            self.add(
                "fit",
                "no-shuffling",
                "the targets are sorted and shuffle=False: batches of one class each. Use "
                "shuffle=True.",
            )
        if suggested_rate is None or optimizer is None:
            return
        rate = float(optimizer.learning_rate)
        if rate > 1.5 * float(suggested_rate):
            self.add(
                "optimizer",
                "rate-above-finder",
                f"the learning rate {rate:g} is above the {float(suggested_rate):g} that the rate "
                "finder suggests; the loss may grow.",
            )


def _is_sorted(y: np.ndarray) -> bool:
    labels = y.argmax(-1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    return len(labels) > 1 and bool((np.diff(labels) >= 0).all()) and labels[0] != labels[-1]


def lint(
    model: Any, x: Any = None, y: Any = None, shuffle: Any = None, suggested_rate: Any = None
) -> list[Finding]:
    """Return what is likely to hurt the training of a model; see `Model.lint`."""
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} is not built: give the first layer an Input, or call the model "
            "on data first."
        )
    linter = _Linter(model)
    linter.structure()
    linter.objective()
    if x is not None:
        linter.data(x)
    linter.training(y, shuffle, suggested_rate)
    return linter.findings
