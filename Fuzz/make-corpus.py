#!/usr/bin/env python3
"""Writes the seeds in Corpus/: small valid files of every kind, byte by byte."""

import json
import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "Corpus"
END = b"\0\xff\x2f\0"


def chunk(kind, body):
    return kind + struct.pack(">I", len(body)) + body


def song(*tracks, kind=1, division=480):
    header = chunk(b"MThd", struct.pack(">HHH", kind, len(tracks), division))
    return header + b"".join(chunk(b"MTrk", track) for track in tracks)


def riff(midi):
    body = b"RMID" + b"LIST\x03\0\0\0abc\0" + b"data" + struct.pack("<I", len(midi)) + midi
    return b"RIFF" + struct.pack("<I", len(body)) + body


def midi_seeds():
    note = b"\0\x90\x3c\x64\x83\x60\x80\x3c\x40"
    running = b"\0\x91\x3c\x64\x60\x3e\x50\x60\x3c\0\0\x3e\0"
    every = b"\0\xa2\x3c\x20\0\xb2\x40\x7f\0\xc2\x30\0\xd2\x5a\0\xe2\0\x40"
    tempo = b"\0\xff\x51\x03\x07\xa1\x20\x8f\0\xff\x51\x03\x03\xd0\x90"
    texts = b"\0\xff\x03\x05Intro\0\xff\x01\x03abc\0\xff\x58\x04\x04\x02\x18\x08\0\xff\x21\x01\0\0\xff\x7f\x02\0\0"
    system = b"\0\xf0\x05\x7e\x7f\x09\x01\xf7\x10\xf7\x02\xf3\x01"
    yield "format0", song(texts + tempo + note + END, kind=0)
    yield "format1", song(texts + tempo + END, note + every + END, running + END, division=96)
    yield "format2", song(tempo + note + END, running + END, kind=2)
    yield "smpte25", song(note + END, kind=0, division=0xE728)
    yield "smpte29", song(running + END, kind=0, division=0xE350)
    yield "system", song(system + note + END)
    yield "no-end", song(note, running)
    yield "wrong-length", song(note + END).replace(b"MTrk\0\0\0\x0d", b"MTrk\0\0\0\x03")
    yield "unknown-chunk", song(note + END) + chunk(b"XFIH", b"abc")
    yield "collision", song(b"\x10" + note + END, b"\0\x90\x3c\x40\x10\x80\x3c\x40" + END)
    yield "rmid", riff(song(note + END))


def tensor(name, role, *shape, unit="1"):
    return {"name": name, "role": role, "shape": list(shape), "type": "float32", "unit": unit}


def manifest_seeds():
    zeros = "0" * 64
    common = {"formatVersion": 1, "sha256": zeros, "sizeBytes": 1000, "licence": "MIT", "authors": ["A"]}
    rate = {"sampleRate": 48000, "slotSamples": 128, "maximumSlots": 16, "delaySamples": 128}
    state = {"input": "state_phase", "output": "next_phase", "shape": ["batch", 1], "unit": "cycles"}
    yield "decoder", common | rate | {
        "kind": "streaming-decoder", "name": "d", "file": "d.onnx", "attribution": ["B"],
        "inputs": [
            tensor("latent", "latent", "batch", 128, "slots"),
            tensor("pitch", "pitch", "batch", 1, "slots", unit="Hz"),
            tensor("noise", "noise", "batch", 16, "8*slots"),
        ],
        "outputs": [tensor("audio", "audio", "batch", 1, "128*slots")], "states": [state],
        "training": {"summary": "s", "command": "c", "minutes": 1.5, "steps": 10},
        "quality": {"cents": 0.6, "note": "x", "list": [1, None, True]}, "reproduce": "r",
    }
    yield "prior", common | {
        "kind": "prior", "name": "p", "file": "p.onnx",
        "columns": ["pitch", "velocity", "secondsOn", "secondsOff", "instrument.a"], "instruments": ["a"],
        "inputs": [tensor("note", "note", "batch", 5)], "outputs": [tensor("latent", "latent", "batch", 128)],
    }
    yield "model", common | {
        "kind": "model", "name": "m", "file": "m.onnx",
        "inputs": [tensor("x", "x", "batch", 4)], "outputs": [tensor("y", "y", "batch", 4)],
    }
    yield "effect", common | {
        "kind": "effect", "name": "e", "file": "e.onnx", "sampleRate": 44100, "hopSamples": 256, "delaySamples": 32,
        "windowSamples": 512, "overlapAdd": False, "method": "encode", "decoder": {"file": "d.onnx", "sha256": zeros},
        "inputs": [tensor("audio", "audio", "batch", 2, "64*frames")],
        "outputs": [tensor("z", "latent", "batch", 8, "frames")], "states": [state],
    }
    reference = {"file": "d.onnx", "sha256": zeros}
    yield "instrument", {
        "formatVersion": 1, "name": "a", "title": "A", "family": "strings", "pitched": True, "lowKey": 36,
        "highKey": 84, "programs": [48, 49], "licence": "MIT", "authors": ["A"], "attribution": ["B"],
        "decoder": reference, "prior": {"file": "p.onnx", "sha256": zeros}, "instrument": "a",
        "velocityExponent": 2.0, "gain": 0.25, "releaseSeconds": 0.6, "card": "a.md",
    }


def main():
    for folder, seeds in (("midi", midi_seeds()), ("manifest", manifest_seeds())):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
        for name, seed in seeds:
            data = seed if isinstance(seed, bytes) else json.dumps(seed, separators=(",", ":")).encode()
            (CORPUS / folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
