"""Trials in parallel: each in a process of its own with one thread."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import warnings
from multiprocessing.connection import Connection, wait
from typing import Any

from dnnfast import config
from dnnfast.tuners.interrupts import uninterrupted
from dnnfast.tuners.kinds import HyperParameter
from dnnfast.tuners.oracle import Wait
from dnnfast.tuners.running import run
from dnnfast.tuners.trial import Trial, TrialStatus

_SECONDS_TO_END = 10.0


class PipeChannel:
    """A running trial's connection to the oracle in another process.

    Args:
        pipe: the connection.
    """

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def suggest(self, hp: HyperParameter) -> Any:
        """Return a value for a hyperparameter that the oracle did not know."""
        return self._answer("suggest", hp)

    def report(self, step: int, value: float) -> bool:
        """Report the objective after an epoch; return whether to stop."""
        return bool(self._answer("report", (step, value)))

    def _answer(self, what: str, content: Any) -> Any:
        self.pipe.send((what, content))
        answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(tuner: Any, trial: Trial, pipe: Connection, args: Any, kwargs: Any) -> None:
    """Run a trial in this process, which is its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the searching process ends this one
    config.set_threads(1)
    trial._channel = PipeChannel(pipe)
    try:
        failed = run(tuner, trial, args, kwargs)
    except Exception as error:
        pipe.send(("fatal", error))
        return
    trial._channel = None
    pipe.send(("done", (trial, failed)))


class Workers:
    """The processes of a search.

    Args:
        tuner: the tuner.
        count: how many processes at most.
        args: those of `search`.
        kwargs: those of `search`.

    Raises:
        ValueError: if models run on a GPU, or processes cannot be forked here.
    """

    def __init__(self, tuner: Any, count: int, args: tuple[Any, ...], kwargs: Any) -> None:
        if config.device().startswith("cuda"):
            raise ValueError("search: n_jobs above 1 is for the CPU; one GPU runs one trial.")
        if "fork" not in multiprocessing.get_all_start_methods():
            raise ValueError("search: this system cannot fork processes; leave n_jobs=1.")
        self.tuner, self.count, self.args = tuner, count, args
        self.kwargs = {**kwargs, "verbose": 0}  # lines of several trainings would mix
        self.running: dict[Connection, tuple[Any, Trial]] = {}
        self._context = multiprocessing.get_context("fork")  # models and data need no pickling

    def run(self) -> None:
        """Run trials until the oracle has no more."""
        try:
            while True:
                with uninterrupted():
                    self._fill()
                if not self.running:
                    return
                for pipe in wait(list(self.running)):
                    with uninterrupted():
                        self._listen(pipe)
        except BaseException:
            with uninterrupted():
                self._abandon()
            raise

    def _fill(self) -> None:
        """Begin as many trials as there may and can be."""
        while len(self.running) < self.count:
            try:
                trial = self.tuner.oracle.create_trial()
            except Wait:
                return
            if trial is None:
                return
            self._start(trial)

    def _start(self, trial: Trial) -> None:
        self.tuner.display.begin(trial)
        ours, theirs = self._context.Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        arguments = (self.tuner, trial, theirs, self.args, self.kwargs)
        process = self._context.Process(target=_work, args=arguments)
        with warnings.catch_warnings():
            # The engine's threads do not exist in the child, which starts its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        self.running[ours] = (process, trial)

    def _listen(self, pipe: Any) -> None:
        process, trial = self.running[pipe]
        try:
            what, content = pipe.recv()
        except EOFError:
            process.join()
            trial.status = TrialStatus.FAILED
            trial.message = f"its process ended with exit code {process.exitcode}"
            what, content = "done", (trial, True)
        if what == "fatal":
            raise content
        if what == "done":
            done, failed = content
            process.join()
            del self.running[pipe]
            pipe.close()
            self.tuner.oracle.trials[trial.trial_id] = done
            if self.tuner._again(done, failed):
                self._start(done)
            else:
                self.tuner._end(done, failed)
            return
        oracle = self.tuner.oracle
        try:
            answer = oracle.suggest(trial, content) if what == "suggest" else None
            answer = oracle.report(trial, *content) if what == "report" else answer
        except Exception as error:
            answer = error
        pipe.send(answer)

    def _abandon(self) -> None:
        """End all processes."""
        for pipe, (process, _) in self.running.items():
            process.terminate()
            process.join(_SECONDS_TO_END)
            if process.is_alive():
                process.kill()
                process.join()
            pipe.close()
        self.running = {}
