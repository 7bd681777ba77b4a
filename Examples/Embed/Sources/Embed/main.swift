import Inference

let engine = MLEngine()
try engine.initialize()
let model = try engine.loadModel(at: CommandLine.arguments[1], named: "decoder")
for tensor in model.inputs + model.outputs { print(tensor) }

let latent = try Tensor([Float](repeating: 0.5, count: 128), shape: [1, 128])
let results = try engine.runInference("decoder", inputs: ["latent": latent])
if let audio = results["audio"]?.floats {
    print("\(audio.count) samples, peak \(audio.map(abs).max() ?? 0)")
}
let latency = try engine.measureLatency("decoder")
print("p50 \(latency.p50Milliseconds) ms, p99 \(latency.p99Milliseconds) ms on \(model.provider)")
