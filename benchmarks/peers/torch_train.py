"""PyTorch: a plain eager loop, or ("compiled" variant) forward, loss, backward and optimizer under
`torch.compile`.

Fused optimizers are used where PyTorch has them, multi-tensor ("foreach") ones otherwise. On a GPU
the data set lies there, and what is compiled is replayed as CUDA graphs ("reduce-overhead"). The
"compiled-bf16" variant multiplies in bfloat16 under autocast.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from peers.protocol import Job, serve
from workloads import Workload


def network(work: Workload) -> nn.Sequential:
    layers: list[nn.Module] = []
    activation = {"relu": nn.ReLU, "elu": nn.ELU}[work.activation]
    widths = work.widths
    for fan_in, width in pairwise(widths[:-1]):
        layers.append(nn.Linear(fan_in, width, bias=not work.batchnorm))
        if work.batchnorm:
            # PyTorch's momentum is the weight of the new value: 1 - 0.99.
            layers.append(nn.BatchNorm1d(width, eps=1e-3, momentum=0.01))
        layers.append(activation())
        if work.dropout:
            layers.append(nn.Dropout(work.dropout))
    layers.append(nn.Linear(widths[-2], widths[-1]))
    return nn.Sequential(*layers)


def optimizer_of(work: Workload, parameters) -> torch.optim.Optimizer:
    rate = work.learning_rate
    if work.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, fused=True)
    if work.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, eps=1e-7, fused=True)
    if work.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=1e-7, foreach=True)
    return torch.optim.NAdam(parameters, lr=rate, eps=1e-7, foreach=True)


def _compile(function, job: Job):
    mode = "reduce-overhead" if job.device == "cuda" else None
    return torch.compile(function, dynamic=False, mode=mode)


def _trainer(job: Job):
    work = job.workload
    model = network(work).to(job.device)
    optimizer = optimizer_of(work, model.parameters())
    x, y = torch.from_numpy(job.x).to(job.device), torch.from_numpy(job.y).long().to(job.device)
    loss_of = nn.CrossEntropyLoss()

    def forward(xb: torch.Tensor, yb: torch.Tensor) -> torch.Tensor:
        return loss_of(model(xb), yb)

    apply = optimizer.step
    if job.variant == "compiled-bf16":
        plain = forward

        def forward(xb: torch.Tensor, yb: torch.Tensor) -> torch.Tensor:
            with torch.autocast(job.device, torch.bfloat16):
                return plain(xb, yb)

    if job.variant.startswith("compiled"):
        forward, apply = _compile(forward, job), _compile(optimizer.step, job)
    model.train()

    def run() -> float:
        order = torch.randperm(work.rows, device=job.device)
        total = torch.zeros((), device=job.device)
        for begin in range(0, work.rows, work.batch):
            rows = order[begin : begin + work.batch]
            loss = forward(x[rows], y[rows])
            loss.backward()
            apply()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach()
        return float(total) / work.steps

    return run


def _predictor(job: Job):
    work = job.workload
    model = network(work).eval().to(job.device)
    function = _compile(model, job) if job.variant.startswith("compiled") else model

    @torch.inference_mode()
    def run() -> float:
        for _ in range(work.calls):
            x = torch.from_numpy(job.x).to(job.device)
            out = torch.softmax(function(x), -1).cpu().numpy()
        return float(out.sum())

    return run


def _monte_carlo(job: Job):
    work = job.workload
    model = network(work).eval().to(job.device)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    function = _compile(model, job) if job.variant.startswith("compiled") else model

    @torch.inference_mode()
    def run() -> float:
        x = torch.from_numpy(job.x).to(job.device)
        total = torch.zeros(work.batch, work.widths[-1], device=job.device)
        squares = torch.zeros_like(total)
        for _ in range(work.samples):
            p = torch.softmax(function(x), -1)
            total += p
            squares += p * p
        mean = total / work.samples
        deviation = (squares / work.samples - mean * mean).clamp_min(0).sqrt()
        return float(np.sum(mean.cpu().numpy()) + np.sum(deviation.cpu().numpy()))

    return run


def build(job: Job):
    torch.set_num_threads(job.threads)
    make = {"train": _trainer, "predict": _predictor, "mc": _monte_carlo}[job.workload.kind]
    return make(job), {"torch": torch.__version__}


if __name__ == "__main__":
    serve(build)
