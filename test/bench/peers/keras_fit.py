"""Trains the article's network with Keras `model.fit` on all cores; prints one line of JSON."""

import argparse
import json
import time

import keras
from keras import layers

from mnist import load_mnist

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--batch", type=int, required=True)
parser.add_argument("--steps", type=int, required=True, help="of the whole run, the warm-up included")
parser.add_argument("--warmup", type=int, required=True, help="steps that are not timed")
options = parser.parse_args()

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
images, labels, _, _ = load_mnist(options.data)


class Clock(keras.callbacks.Callback):
    step = 0

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step == options.warmup:
            self.start = time.perf_counter()
        if self.step == options.steps:
            print(json.dumps({"seconds": time.perf_counter() - self.start}), flush=True)
            self.model.stop_training = True


epochs = -(-options.steps * options.batch // len(labels))
model.fit(images[..., None], labels, batch_size=options.batch, epochs=epochs, verbose=0, callbacks=[Clock()])
