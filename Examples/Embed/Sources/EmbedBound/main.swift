import Inference

do throws(InferenceError) {
    // Control: once.
    let runtime = try OnnxRuntime.open()
    let path = CommandLine.arguments.dropFirst().first ?? "decoder.onnx"
    let session = try Session(runtime, model: path)
    let latent = TensorBuffer(count: 128)
    let audio = TensorBuffer(count: 2048)
    let decoder = try BoundRun(
        session,
        inputs: [.init(name: "latent", shape: [1, 128], buffer: latent)],
        outputs: [.init(name: "audio", shape: [1, 1, 2048], buffer: audio)])

    // Worker: as often as you like, without an allocation.
    var energy: Float = 0
    for step in 0..<100 {
        latent.withMutableSpan { $0[0] = Float(step) / 100 }
        try decoder.run()
        audio.withSpan { for i in $0.indices { energy += $0[i] * $0[i] } }
    }
    print(energy, "energy in 100 runs")
} catch {
    print("\(error.code): \(error.message)")
}
