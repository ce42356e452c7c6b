"""Trains a recipe with PyTorch DistributedDataParallel, one thread a rank; rank 0 prints one line of JSON.

torchrun --standalone --nproc-per-node 2 ddp.py --recipe '{…}' --data FOLDER --steps 240 --warmup 40
"""

import argparse
import json
import os
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mnist import load_mnist
from network import build_loss, build_network, build_optimizer

parser = argparse.ArgumentParser()
parser.add_argument("--recipe", type=json.loads, required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--layout", choices=["nchw", "channels_last"], default="nchw")
parser.add_argument("--steps", type=int, required=True, help="of the whole run, the warm-up included")
parser.add_argument("--warmup", type=int, default=0, help="steps that are not timed")
parser.add_argument("--evaluate", action="store_true", help="test accuracy at the end")
options = parser.parse_args()

ranks, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
torch.set_num_threads(1)
if ranks > 1:
    dist.init_process_group("gloo")
recipe = options.recipe
torch.manual_seed(recipe["seed"])
memory_format = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format

network = build_network(recipe["model"]).to(memory_format=memory_format)
# A single rank does without the wrapper: nothing is to be exchanged.
replica = DistributedDataParallel(network) if ranks > 1 else network
compute_loss = build_loss(recipe["task"])
optimizer, schedule = build_optimizer(recipe, replica.parameters(), options.steps)

images, labels, test_images, test_labels = load_mnist(options.data)
images, labels = torch.from_numpy(images[:, None]), torch.from_numpy(labels)
shuffle = torch.Generator().manual_seed(recipe["seed"])


def batches():
    """This rank's part of each global batch, in one order of the samples for all ranks, epoch after epoch."""
    while True:
        order = torch.randperm(len(labels), generator=shuffle)
        for chosen in order.split(recipe["batchSize"]):
            mine = chosen[rank::ranks]
            yield images[mine].to(memory_format=memory_format), labels[mine]


def now():
    if ranks > 1:
        dist.barrier()
    return time.perf_counter()


# Sums stay on the rank until the end: less work than a figure for each step, which Gradwire gives.
loss_sum, correct, samples = torch.zeros(()), torch.zeros(()), 0
start = now()
for step, (x, y) in enumerate(batches(), start=1):
    optimizer.zero_grad(set_to_none=True)
    logits = replica(x)
    loss = compute_loss(logits, y)
    loss.backward()
    optimizer.step()
    if schedule:
        schedule.step()
    loss_sum += loss.detach() * len(y)
    correct += (logits.detach().argmax(1) == y).sum()
    samples += len(y)
    if step == options.warmup:
        start = now()
    if step == options.steps:
        break
seconds = now() - start

if rank == 0:
    result = {"seconds": seconds, "loss": (loss_sum / samples).item(), "accuracy": (correct / samples).item()}
    if options.evaluate:
        with torch.no_grad():
            network.eval()
            test = torch.from_numpy(test_images[:, None]).to(memory_format=memory_format)
            answers = torch.cat([network(part).argmax(1) for part in test.split(500)])
        result["testAccuracy"] = (answers == torch.from_numpy(test_labels)).float().mean().item()
    print(json.dumps(result), flush=True)
if ranks > 1:
    dist.destroy_process_group()
