"""Event files for TensorBoard while a model learns."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.monitor import note_rates
from dnnfast.distribution.current import is_writer


def _as_matrix(array: np.ndarray) -> np.ndarray | None:
    """Return a weight as a matrix that is not higher than wide, or None if it is none."""
    matrix = np.squeeze(array)
    if matrix.ndim > 2 or matrix.size == 0:
        return None
    matrix = matrix.reshape(1, -1) if matrix.ndim < 2 else matrix
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class TensorBoard(Callback):
    """Writes what `fit` and `evaluate` report to event files; ``tensorboard --logdir`` shows them.

    It needs neither TensorFlow nor TensorBoard. Of several processes that train together the first
    writes. In ``log_dir/train`` and ``log_dir/validation`` it
    writes, under Keras's names: loss and metrics of each epoch (``epoch_loss``), the learning rate
    (``epoch_learning_rate``), results of evaluations over the steps of training
    (``evaluation_loss_vs_iterations``), and the graphs of the layers and of the program.

    Args:
        log_dir: folder. Default ``"logs"``.
        histogram_freq: write histograms of all weights in every so many epochs; 0 never. Default 0.
        write_graph: write the graphs. Default True.
        write_images: with the histograms write the weights as pictures: 0 is gray, the largest
            absolute value white or black. Default False.
        write_steps_per_second: write how many steps a second each epoch made (and each batch, where
            batches are written). Default False.
        update_freq: ``"epoch"``, ``"batch"``, or a number: write the running means of loss and
            metrics (``batch_loss``) every so many steps, too. Default ``"epoch"``, with which whole
            epochs run without returning to Python.
        profile_batch: accepted; profiles are not written, with a warning. Default 0. `Model.plan`
            shows what a step consists of.
        embeddings_freq: write the vectors of `Embedding` layers for the projector in every so many
            epochs; 0 never. Default 0.
        embeddings_metadata: name of a file in ``log_dir`` with a label for each row of an
            embedding, or a dict of such by names of layers. Default None.

    Raises:
        ValueError: if an argument is out of range, or ``embeddings_metadata`` names a layer that
            is no `Embedding`.

    Example:
        >>> import dnnfast as keras, pathlib, tempfile
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     board = keras.callbacks.TensorBoard(folder, histogram_freq=1)
        ...     _ = model.fit([[1.0], [2.0]], [[1.0], [2.0]], verbose=0, callbacks=[board])
        ...     sorted(path.name for path in pathlib.Path(folder).iterdir())
        ['train']
    """

    writes_files = True

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = _frequency("histogram_freq", histogram_freq)
        self.embeddings_freq = _frequency("embeddings_freq", embeddings_freq)
        self.write_graph, self.write_images = bool(write_graph), bool(write_images)
        self.write_steps_per_second = bool(write_steps_per_second)
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_metadata = embeddings_metadata
        if self.update_freq != "epoch":
            if _frequency("update_freq", self.update_freq, '"epoch", "batch" or ') == 0:
                raise ValueError("TensorBoard: update_freq must be at least 1, got 0.")
            # Without batch hooks, `fit` runs whole epochs in native code.
            self.on_train_batch_begin = self._begin_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._end_batch  # type: ignore[method-assign]
        if profile_batch not in (0, "0"):
            warnings.warn(
                "TensorBoard: profile_batch is ignored; model.plan() shows what a step consists "
                "of.",
                UserWarning,
                stacklevel=2,
            )
        self._open()
        self._steps = self._begun = self._iterations = 0
        self._epoch_start = self._batch_start = 0.0

    def _open(self) -> None:
        # Loaded here, so that importing dnnfast stays quick.
        from dnnfast.summaries.writer import EventWriter

        self._opened = self.log_dir
        self._train = EventWriter(Path(self.log_dir) / "train")
        self._validation = EventWriter(Path(self.log_dir) / "validation")

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        super().set_model(model)
        if self.log_dir != self._opened:
            self._open()  # tuners give each trial a folder of its own
        self._check_metadata()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Write the graphs."""
        self._steps = 0
        if self.write_graph:
            self._write_graphs()
        if self.embeddings_freq:
            self._write_projector()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the files."""
        self._train.close()
        self._validation.close()

    on_train_abandoned = on_train_end

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self._begun = self._steps
        self._iterations = int(self.model.optimizer.iterations)
        self._epoch_start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write what the epoch gave, and weights and embeddings if it is time."""
        train: dict[str, Any] = {}
        validation: dict[str, Any] = {}
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                validation[name[4:]] = value
            else:
                train[name] = value
        note_rates(self.model.optimizer, train)
        if self.write_steps_per_second:
            count = int(self.model.optimizer.iterations) - self._iterations
            train["steps_per_second"] = count / (time.perf_counter() - self._epoch_start)
        _write_scalars(self._train, epoch, "epoch_{}", train)
        _write_scalars(self._validation, epoch, "epoch_{}", validation)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._train.flush()
        self._validation.flush()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write the results over the steps that training has made."""
        if self.model.optimizer is not None:
            step = int(self.model.optimizer.iterations)
            _write_scalars(self._validation, step, "evaluation_{}_vs_iterations", logs or {})
            self._validation.flush()

    def _begin_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batch_start = time.perf_counter()

    def _end_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write running means, if there was a step whose number is a multiple of `update_freq`."""
        before, self._steps = self._steps, self._begun + batch + 1
        if before // self.update_freq == self._steps // self.update_freq:
            return
        found = dict(logs or {})
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._batch_start
            found["steps_per_second"] = (self._steps - before) / seconds
        _write_scalars(self._train, self._steps, "batch_{}", found)

    def _write_graphs(self) -> None:
        from dnnfast.summaries import values
        from dnnfast.summaries.graph import graph_def, layers_json

        model = self.model
        if getattr(model, "_functional", None) is not None:
            try:
                self._train.values(0, [values.keras_model("keras", layers_json(model))])
            except (TypeError, ValueError) as error:
                warnings.warn(
                    f"TensorBoard: the graph of the layers of {model.name!r} is not written: "
                    f"{error}",
                    UserWarning,
                    stacklevel=2,
                )
        self._train.graph(graph_def(model))

    def _write_weights(self, epoch: int) -> None:
        from dnnfast.summaries import values

        found = []
        for variable in self.model.weights:
            array = variable.numpy()
            found.append(values.histogram(f"{variable.path}/histogram", array))
            if self.write_images and (matrix := _as_matrix(array)) is not None:
                found.append(values.picture(f"{variable.path}/image", matrix))
        self._train.values(epoch, found)

    # Embeddings: tables of text, and a file that names them.

    def _embeddings(self) -> dict[str, Any]:
        layers = self.model._all_layers()
        return {layer.name: layer for layer in layers if type(layer).__name__ == "Embedding"}

    def _check_metadata(self) -> None:
        if not self.embeddings_freq or not isinstance(self.embeddings_metadata, dict):
            return
        known = self._embeddings()
        for name in self.embeddings_metadata:
            if name not in known:
                raise ValueError(
                    f"TensorBoard: embeddings_metadata names {name!r}, which is no Embedding layer "
                    f"of the model; it has {', '.join(known) or 'none'}."
                )

    def _write_projector(self) -> None:
        if not is_writer():
            return
        lines = []
        for name in self._embeddings():
            lines += ["embeddings {", f"  tensor_name: {_quoted(name)}"]
            lines.append(f"  tensor_path: {_quoted(f'train/{name}.tsv')}")
            given = self.embeddings_metadata
            path = given.get(name) if isinstance(given, dict) else given
            if path is not None:
                lines.append(f"  metadata_path: {_quoted(os.fspath(path))}")
            lines.append("}")
        folder = Path(self.log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "projector_config.pbtxt").write_text("\n".join([*lines, ""]))

    def _write_embeddings(self) -> None:
        if not is_writer():
            return
        folder = Path(self.log_dir) / "train"
        folder.mkdir(parents=True, exist_ok=True)
        for name, layer in self._embeddings().items():
            np.savetxt(folder / f"{name}.tsv", layer.get_weights()[0], "%.7g", delimiter="\t")


def _frequency(name: str, value: Any, others: str = "") -> int:
    """Return a number of epochs or steps.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"TensorBoard: {name} must be {others}a number from 0, got {value!r}.")
    return int(value)


def _write_scalars(writer: Any, step: int, form: str, found: dict[str, Any]) -> None:
    """Write the numbers among some results; a metric may give an array."""
    from dnnfast.summaries import values

    written = [
        values.scalar(form.format(name), float(np.asarray(value)))
        for name, value in found.items()
        if np.ndim(value) == 0
    ]
    writer.values(step, written)
