import Inference

do throws(InferenceError) {
    let engine = MLEngine()
    try engine.initialize()
    let path = CommandLine.arguments.dropFirst().first ?? "decoder.onnx"
    let model = try engine.loadModel(at: path, named: "decoder")
    for tensor in model.inputs + model.outputs { print(tensor) }

    let latent = try Tensor([Float](repeating: 0.5, count: 128), shape: [1, 128])
    let results = try engine.runInference("decoder", inputs: ["latent": latent])
    print(results["audio"]?.count ?? 0, "samples by", model.provider)
    print(try engine.measureLatency("decoder").p99Milliseconds, "ms, 99 times in 100")
} catch {
    print("\(error.code): \(error.message)")
}
