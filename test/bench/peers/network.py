"""PyTorch's side of a Gradwire recipe: the network, the loss, the optimizer and the schedule that its JSON names."""

import torch
from torch import nn

activations = {"linear": [], "relu": [nn.ReLU]}


def build_network(model: dict) -> nn.Sequential:
    """The layers of a recipe's model. Raises NotImplementedError for a layer that has no counterpart here."""
    # Batch normalisation needs more than one value a channel.
    probe = torch.zeros(2, *channels_first(model["inputShape"]))
    modules = []
    for layer in model["layers"]:
        for module in layer_modules(layer, probe.shape):
            modules.append(module)
            probe = module(probe)
    return nn.Sequential(*modules)


def channels_first(shape):
    return (shape[-1], *shape[:-1])


def layer_modules(layer: dict, shape):
    kind, channels = layer["type"], shape[1]
    activation = [each() for each in activations[layer.get("activation", "linear")]]
    bias = layer.get("useBias", True)
    if kind in ("conv2d", "depthwiseConv2d"):
        size, stride = layer["kernelSize"], layer.get("strides", 1)
        filters = layer["filters"] if kind == "conv2d" else channels * layer.get("depthMultiplier", 1)
        groups = 1 if kind == "conv2d" else channels
        before, within = padding_of(layer, shape, size, stride)
        return [*before, nn.Conv2d(channels, filters, size, stride, within, groups=groups, bias=bias), *activation]
    if kind == "maxPooling2d" and layer.get("padding", "valid") == "valid":
        return [nn.MaxPool2d(layer["poolSize"], layer.get("strides", layer["poolSize"]))]
    if kind == "globalAveragePooling2d":
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if kind == "batchNormalization":
        normalisation = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
        return [normalisation(channels, layer.get("epsilon", 1e-3), 1 - layer.get("momentum", 0.99))]
    if kind == "activation":
        return activation
    if kind == "dropout":
        return [nn.Dropout(layer["rate"])]
    if kind == "flatten":
        return [nn.Flatten()]
    if kind == "dense":
        return [nn.Linear(channels, layer["units"], bias=bias), *activation]
    raise NotImplementedError(f"layer {kind} with {layer}")


def padding_of(layer: dict, shape, size: int, stride: int):
    """TensorFlow's padding: "same" puts the odd row and column below and to the right, which takes a layer of its own."""
    if layer.get("padding", "valid") == "valid":
        return [], 0
    totals = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in shape[2:]]
    if all(total % 2 == 0 for total in totals):
        return [], tuple(total // 2 for total in totals)
    (top, bottom), (left, right) = [(total // 2, total - total // 2) for total in totals]
    return [nn.ZeroPad2d((left, right, top, bottom))], 0


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
