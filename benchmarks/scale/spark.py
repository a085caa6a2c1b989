"""Seconds an iteration of Spark's MultilayerPerceptronClassifier and of Surefoot on the same work, and Spark's bits over partitions.

    pip install pyspark numpy        (and a Java runtime, 17 or later)
    python benchmarks/scale/spark.py --surefoot target/release/surefoot

The network is 784-256-10 with sigmoid and softmax, the data are the 60,000 training images of Fashion-MNIST, the optimizer is L-BFGS,
with two threads (`local[2]`). A time is that of the longer of two fits less that of the shorter, over the iterations between them,
so that reading, start and end do not count.
"""

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from pyspark.ml.classification import MultilayerPerceptronClassifier
from pyspark.sql import SparkSession

IMAGES = Path("/usr/share/datasets/fashion-mnist")
SHORT, LONG = 3, 13


def images():
    def idx(name, skip):
        with gzip.open(IMAGES / f"{name}.gz") as file:
            return np.frombuffer(file.read(), np.uint8, offset=skip)
    labels = idx("train-labels-idx1-ubyte", 8)
    return idx("train-images-idx3-ubyte", 16).reshape(len(labels), 784), labels


def write_libsvm(path, x, y):
    with open(path, "w") as out:
        for pixels, label in zip(x, y):
            places = np.flatnonzero(pixels)
            out.write(f"{label} " + " ".join(f"{i + 1}:{pixels[i] / 255:.6g}" for i in places) + "\n")


def fit(data, layers, iterations):
    mlpc = MultilayerPerceptronClassifier(layers=layers, maxIter=iterations, seed=1, tol=0.0, blockSize=128)
    clock = time.perf_counter()
    model = mlpc.fit(data)
    return time.perf_counter() - clock, model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surefoot", default="target/release/surefoot")
    arguments = parser.parse_args()
    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "8g").config("spark.ui.enabled", False)
    spark = builder.config("spark.ui.showConsoleProgress", False).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    x, y = images()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.libsvm")
        write_libsvm(path, x, y)
        data = spark.read.format("libsvm").option("numFeatures", "784").load(path).repartition(2).cache()
        data.count()
        layers = [784, 256, 10]
        fit(data, layers, 1)
        times = {iterations: fit(data, layers, iterations)[0] for iterations in (SHORT, LONG)}
        theirs = (times[LONG] - times[SHORT]) / (LONG - SHORT)
        print(f"Spark {spark.version}: {theirs:.2f} s an iteration ({times})")

        write_libsvm(path, x[:2000], y[:2000])
        few = spark.read.format("libsvm").option("numFeatures", "784").load(path).coalesce(1).cache()
        for partitions in (1, 2, 4):
            _, model = fit(few.repartition(partitions) if partitions > 1 else few, [784, 16, 10], 20)
            weights = np.asarray(model.weights.toArray())
            print(f"  weights after 20 iterations on {partitions} partitions: {hashlib.sha256(weights.tobytes()).hexdigest()[:16]}")
    spark.stop()

    def seconds(iterations):
        command = [
            arguments.surefoot, "train", str(IMAGES), "--hidden", "256", "--activation", "sigmoid", "--optimizer", "lbfgs", "--epochs",
            str(iterations), "--validation", "0", "--threads", "2", "--report", "none", "--no-check", "--json", "--out",
            os.path.join(tempfile.gettempdir(), "spark-beside.safetensors"),
        ]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        return json.loads(lines[-1])["seconds"]

    ours = (seconds(LONG) - seconds(SHORT)) / (LONG - SHORT)
    print(f"Surefoot: {ours:.2f} s an iteration, {theirs / ours:.1f} times as fast")


if __name__ == "__main__":
    main()
