"""Converts an exported PyTorch program to a .tflite file and compares it with what it should compute.

Runs in an environment of its own (requirements.txt); `python -m echoel_training litert` makes it and calls this.

usage: convert.py PROGRAM.pt2 VECTORS.npz OUT.tflite
"""

import json
import sys

import litert_torch
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter


def main(program: str, vectors: str, out: str) -> None:
    data = np.load(vectors)
    latents, wanted = data["latent"], data["audio"]
    module = torch.export.load(program).module()
    example = torch.from_numpy(latents[:1])
    litert_torch.convert(module, sample_kwargs={"latent": example}).export(out)
    runner = Interpreter(model_path=out, num_threads=1).get_signature_runner()
    found = np.concatenate([runner(latent=row[None])["audio"] for row in latents])
    print(json.dumps({"maximumDifference": float(np.abs(found - wanted).max())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
