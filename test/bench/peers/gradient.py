"""One gradient in PyTorch's eager mode, one thread: answers lines of JSON on stdin with lines of JSON on stdout."""

import json
import sys
import time

import torch

from mnist import load_mnist
from network import build_loss, build_network

recipe, layout, folder = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
torch.manual_seed(1)
memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
try:
    network = build_network(recipe["model"]).to(memory_format=memory_format)
    compute_loss = build_loss(recipe["task"])
except NotImplementedError as missing:
    print(json.dumps({"skipped": f"the PyTorch script knows no {missing}"}), flush=True)
    sys.exit()
images, labels, _, _ = load_mnist(folder)
print(json.dumps({"ready": torch.__version__}), flush=True)


def gradient(x, y):
    network.zero_grad(set_to_none=True)
    loss = compute_loss(network(x), y)
    loss.backward()
    return loss.item()


for line in sys.stdin:
    task = json.loads(line)
    batch = task["batch"]
    x = torch.from_numpy(images[:batch, None]).to(memory_format=memory_format)
    y = torch.from_numpy(labels[:batch])
    times = []
    for _ in range(task["repeats"]):
        start = time.perf_counter()
        gradient(x, y)
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times), flush=True)
