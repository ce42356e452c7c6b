"""PyTorch's side of a Gradwire recipe: the network, the loss, the optimizer and the schedule that its JSON names."""

import torch
from torch import nn

activations = {"linear": [], "relu": [nn.ReLU]}


def build_network(model: dict) -> nn.Sequential:
    """The layers of a recipe's model. Raises NotImplementedError for a layer that has no counterpart here."""
    probe = torch.zeros(1, *channels_first(model["inputShape"]))
    modules = []
    for layer in model["layers"]:
        for module in layer_modules(layer, probe.shape):
            modules.append(module)
            probe = module(probe)
    return nn.Sequential(*modules)


def channels_first(shape):
    return (shape[-1], *shape[:-1])


def layer_modules(layer: dict, shape):
    kind, side = layer["type"], shape[1]
    activation = [each() for each in activations[layer.get("activation", "linear")]]
    same = layer.get("padding", "valid") == "same"
    if kind == "conv2d":
        stride = layer.get("strides", 1)
        if same and stride != 1:
            raise NotImplementedError("conv2d with padding same and strides")
        padding = "same" if same else 0
        return [nn.Conv2d(side, layer["filters"], layer["kernelSize"], stride, padding), *activation]
    if kind == "maxPooling2d" and not same:
        return [nn.MaxPool2d(layer["poolSize"], layer.get("strides", layer["poolSize"]))]
    if kind == "flatten":
        return [nn.Flatten()]
    if kind == "dense":
        return [nn.Linear(side, layer["units"]), *activation]
    raise NotImplementedError(f"layer {kind}{' with padding same' if same else ''}")


def build_loss(task: dict) -> nn.Module:
    if task["type"] != "multiclass":
        raise NotImplementedError(f"task {task['type']}")
    return nn.CrossEntropyLoss(label_smoothing=task.get("smoothing", 0))


def build_optimizer(recipe: dict, parameters, total_steps: int):
    """The optimizer, and its schedule or None."""
    spec, schedule = recipe["optimizer"], recipe["schedule"]
    if spec["type"] != "adam" or schedule["type"] not in ("constant", "one-cycle"):
        raise NotImplementedError(f"optimizer {spec['type']} with schedule {schedule['type']}")
    rate = schedule["learningRate"]
    betas = (spec.get("beta1", 0.9), spec.get("beta2", 0.999))
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=betas, eps=spec.get("epsilon", 1e-7))
    if schedule["type"] == "constant":
        return optimizer, None
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        rate,
        total_steps=total_steps,
        pct_start=schedule.get("riseShare", 0.3),
        div_factor=schedule.get("startDivisor", 25),
        final_div_factor=schedule.get("endDivisor", 10_000),
        cycle_momentum=False,
    )
