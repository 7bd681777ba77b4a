import Inference
import TestSupport
import Testing

@Suite("ML Engine Tests") struct MLEngineTests {
    let reference = "rave_decoder_reference.onnx"

    @Test("Model Loading") func modelLoading() throws {
        let engine = MLEngine()
        try engine.initialize(.cpu)
        let path = try testModel(reference)
        let info = try engine.loadModel(at: path, named: "test")

        #expect(info.name == "test")
        #expect(info.path == path)
        #expect(info.isLoaded)
        #expect(info.provider == "CPUExecutionProvider")
        #expect(info.accelerationNote == nil)
        #expect(info.sizeBytes > 30_000_000)
        #expect(
            info.inputs == [
                TensorInfo(name: "latent", shape: [.dynamic("batch"), .fixed(128)], elementType: .float32)
            ])
        #expect(
            info.outputs == [
                TensorInfo(
                    name: "audio", shape: [.dynamic("batch"), .fixed(1), .fixed(2048)], elementType: .float32)
            ])
        #expect(info.metadata["producer"] == "pytorch")
        #expect(try engine.modelInfo(named: "test") == info)
        #expect(engine.loadedModels == ["test"])
    }

    @Test("Inference Latency") func inferenceLatency() throws {
        let engine = MLEngine()
        try engine.initialize()
        try engine.loadModel(at: try testModel(reference), named: "rave")
        var latency = try engine.measureLatency("rave", warmUpRuns: 5, runs: 50)
        #expect(latency.runs == 50)
        // Other tests may have the processors meanwhile.
        for _ in 0..<20 where latency.fastestMilliseconds >= PerformanceMetrics.realtimeThresholdMilliseconds
        {
            latency = try engine.measureLatency("rave", warmUpRuns: 0, runs: 50)
        }
        #expect(latency.fastestMilliseconds < PerformanceMetrics.realtimeThresholdMilliseconds)
        #expect(latency.fastestMilliseconds > 0)
    }

    @Test("GPU Acceleration") func gpuAcceleration() throws {
        let engine = MLEngine()
        if MLEngine.isGPUAvailable {
            try engine.initialize(.auto)
            #expect(MLEngine.availableAcceleration != .cpu)
            #expect(engine.accelerationNote == nil)
        } else {
            #expect(MLEngine.availableAcceleration == .cpu)
            for acceleration in [AccelerationType.cuda, .metal, .openCL] {
                let error = #expect(throws: InferenceError.self) { try engine.initialize(acceleration) }
                #expect(error?.code == .accelerationUnavailable)
                #expect(error?.message.contains(acceleration.provider ?? "") == true)
            }
            // Only .auto falls back, and it says so.
            try engine.initialize(.auto)
            #expect(engine.provider == "CPUExecutionProvider")
            #expect(engine.accelerationNote?.contains("CUDAExecutionProvider") == true)
            let info = try engine.loadModel(at: fixture("identity.onnx"), named: "identity")
            #expect(info.accelerationNote == engine.accelerationNote)
        }
    }

    @Test func nothingWorksBeforeInitialize() async throws {
        let engine = MLEngine()
        let identity = fixture("identity.onnx")
        #expect(throws: InferenceError.self) { try engine.loadModel(at: identity, named: "identity") }
        let error = await #expect(throws: InferenceError.self) {
            try await engine.loadModel(at: identity, named: "identity")
        }
        #expect(error?.code == .notInitialized)
        #expect(engine.runtime == nil)
    }

    @Test func threadCountsOutOfRangeAreRefused() {
        for threads in [-1, 0, 257] {
            let error = #expect(throws: InferenceError.self) { try MLEngine(threads: threads).initialize() }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func severalInputsAndOutputsByName() throws {
        let engine = try loaded("scale_bias")
        let a = try Tensor([1, 2, 3, 4] as [Float], shape: [1, 4])
        let b = try Tensor([10, 20, 30, 40] as [Float], shape: [1, 4])
        let both = try engine.runInference("scale_bias", inputs: ["a": a, "b": b])
        #expect(both.keys.sorted() == ["product", "sum"])
        #expect(both["sum"]?.floats == [11, 22, 33, 44])
        #expect(both["product"]?.floats == [10, 40, 90, 160])
        #expect(both["sum"]?.shape == [1, 4])
        let one = try engine.runInference("scale_bias", inputs: ["a": a, "b": b], outputs: ["product"])
        #expect(one == ["product": both["product"]])
    }

    @Test func fourElementTypesRun() throws {
        let shape = [2, 4]
        let numbers = [0, 1, -2, 3, 100, -100, 7, 8]
        let float16 = try Tensor(float16: numbers.map(Float.init), shape: shape)
        let half = try loaded("half").runInference("half", inputs: ["x": float16])
        #expect(half["y"]?.elementType == .float16)
        #expect(half["y"]?.floats == numbers.map { Float(2 * $0) })
        let int64 = try Tensor(numbers.map(Int64.init), shape: shape)
        let long = try loaded("int64").runInference("int64", inputs: ["x": int64])
        #expect(long["y"]?.integers == numbers.map { Int64(2 * $0) })
        let int32 = try Tensor(numbers.map(Int32.init), shape: shape)
        let short = try loaded("int32").runInference("int32", inputs: ["x": int32])
        #expect(short["y"]?.elementType == .int32)
        #expect(short["y"]?.integers == numbers.map { Int64(2 * $0) })
    }

    @Test(arguments: [("double", ElementType.float64), ("string", .string)])
    func otherElementTypesAreDescribedAndRefused(name: String, type: ElementType) throws {
        let engine = try loaded(name)
        let info = try engine.modelInfo(named: name)
        #expect(
            info.inputs == [TensorInfo(name: "x", shape: [.dynamic("batch"), .fixed(4)], elementType: type)])
        #expect(info.outputs.map(\.elementType) == [type])
        let x = try Tensor([1, 2, 3, 4] as [Float], shape: [1, 4])
        let error = #expect(throws: InferenceError.self) { try engine.runInference(name, inputs: ["x": x]) }
        #expect(error?.code == .typeUnsupported)
        #expect(error?.message.contains(type.name) == true)
        let unmeasurable = #expect(throws: InferenceError.self) { try engine.measureLatency(name) }
        #expect(unmeasurable?.code == .typeUnsupported)
    }

    @Test func wrongTensorsAreNamed() throws {
        let engine = try loaded("scale_bias")
        let a = try Tensor([1, 2, 3, 4] as [Float], shape: [1, 4])
        let wrong: [(String, [String: Tensor], InferenceError.Code, String)] = [
            ("missing", ["a": a], .unknownTensor, "b: float32 [batch, 4]"),
            ("unknown", ["a": a, "b": a, "c": a], .unknownTensor, "\"c\""),
            ("width", ["a": a, "b": try .zeros(.float32, shape: [1, 5])], .shapeMismatch, "[batch, 4]"),
            ("rank", ["a": a, "b": try .zeros(.float32, shape: [4])], .shapeMismatch, "[4]"),
            ("type", ["a": a, "b": try .zeros(.int32, shape: [1, 4])], .typeUnsupported, "int32"),
        ]
        for (what, inputs, code, part) in wrong {
            let error = #expect(throws: InferenceError.self) {
                try engine.runInference("scale_bias", inputs: inputs)
            }
            #expect(error?.code == code, "\(what)")
            #expect(error?.message.contains(part) == true, "\(what): \(error.map(\.message) ?? "")")
            #expect(error?.message.contains("scale_bias.onnx") == true)
        }
        for outputs in [["sum", "sum"], ["none"], []] {
            let error = #expect(throws: InferenceError.self) {
                try engine.runInference("scale_bias", inputs: ["a": a, "b": a], outputs: outputs)
            }
            #expect(error?.code == .unknownTensor)
        }
    }

    @Test func aRunThatOnnxRuntimeRefusesSaysWhy() throws {
        let engine = try loaded("scale_bias")
        let error = #expect(throws: InferenceError.self) {
            try engine.runInference(
                "scale_bias",
                inputs: [
                    "a": try .zeros(.float32, shape: [2, 4]), "b": try .zeros(.float32, shape: [3, 4]),
                ])
        }
        #expect(error?.code == .runFailed)
        #expect((error?.underlying as? OnnxRuntimeStatus)?.message.isEmpty == false)
    }

    @Test func plainNumbersFillTheDynamicAxis() throws {
        let engine = try loaded("identity")
        let twelve = (0..<12).map(Float.init)
        #expect(try engine.runInference("identity", twelve) == twelve)
        for count in [0, 3, 13] {
            let error = #expect(throws: InferenceError.self) {
                try engine.runInference("identity", [Float](repeating: 0, count: count))
            }
            #expect(error?.code == .shapeMismatch)
        }
        let fixed = try loaded("one_node")
        #expect(
            try fixed.runInference("one_node", [Float](repeating: 2, count: 16))
                == [Float](repeating: -2, count: 16))
        let error = #expect(throws: InferenceError.self) { try fixed.runInference("one_node", [1, 2]) }
        #expect(error?.code == .shapeMismatch)
        let several = #expect(throws: InferenceError.self) {
            try loaded("scale_bias").runInference("scale_bias", [1, 2, 3, 4])
        }
        #expect(several?.code == .unknownTensor)
    }

    @Test func unloadedAndUnknownModelsAreToldApart() throws {
        let engine = try loaded("identity")
        try engine.unloadModel(named: "identity")
        #expect(try engine.modelInfo(named: "identity").isLoaded == false)
        #expect(engine.loadedModels.isEmpty)
        let unloaded = #expect(throws: InferenceError.self) {
            try engine.runInference("identity", [1, 2, 3, 4])
        }
        #expect(unloaded?.code == .modelNotLoaded)
        #expect(throws: InferenceError.self) { try engine.unloadModel(named: "identity") }
        let unknown = #expect(throws: InferenceError.self) { try engine.modelInfo(named: "nobody") }
        #expect(unknown?.code == .unknownModel)
        try engine.loadModel(at: fixture("identity.onnx"), named: "identity")
        #expect(try engine.runInference("identity", [1, 2, 3, 4]) == [1, 2, 3, 4])
    }

    @Test func aModelIsReplacedUnderItsName() throws {
        let engine = try loaded("identity")
        try engine.loadModel(at: fixture("one_node.onnx"), named: "identity")
        #expect(try engine.modelInfo(named: "identity").path == fixture("one_node.onnx"))
        #expect(engine.loadedModels == ["identity"])
    }

    @Test func metricsCountEveryInference() throws {
        let engine = try loaded("identity")
        #expect(try engine.performanceMetrics("identity").totalInferences == 0)
        #expect(try engine.performanceMetrics("identity").isRealtime)
        for _ in 0..<100 { _ = try engine.runInference("identity", [1, 2, 3, 4]) }
        _ = try? engine.runInference("identity", [1])
        let metrics = try engine.performanceMetrics("identity")
        #expect(metrics.totalInferences == 100)
        #expect(metrics.averageMilliseconds > 0)
        #expect(metrics.p50Milliseconds <= metrics.p95Milliseconds)
        #expect(metrics.p95Milliseconds <= metrics.p99Milliseconds)
        #expect(metrics.p99Milliseconds <= metrics.peakMilliseconds)
    }

    @Test func latencyIsMeasuredAtTheSizesAskedFor() throws {
        let engine = try loaded("sine_decoder", as: "sine")
        #expect(throws: InferenceError.self) { try engine.measureLatency("sine") }  // frames is 8 · slots
        let one = try engine.measureLatency(
            "sine", dimensions: ["slots": 16, "frames": 128, "batch": 8], runs: 3)
        #expect(one.runs == 3)
        #expect(one.fastestMilliseconds <= one.p50Milliseconds)
        let error = #expect(throws: InferenceError.self) {
            try engine.measureLatency("sine", dimensions: ["voices": 2])
        }
        #expect(error?.code == .unknownTensor)
        #expect(error?.message.contains("voices") == true)
        for (runs, warmUp, batch) in [(0, 0, 1), (1, -1, 1), (1, 0, 0)] {
            let error = #expect(throws: InferenceError.self) {
                try engine.measureLatency(
                    "sine", dimensions: ["batch": batch], warmUpRuns: warmUp, runs: runs)
            }
            #expect(error?.code == .invalidArgument)
        }
        #expect(try engine.performanceMetrics("sine").totalInferences == 0)
    }

    @Test func asyncAndCallbackRunsGiveWhatTheBlockingRunGives() async throws {
        let engine = try loaded("scale_bias")
        let a = try Tensor((0..<40).map(Float.init), shape: [10, 4])
        let inputs = ["a": a, "b": a]
        let blocking = try await Task.detached { try blockingRun(engine, inputs) }.value
        #expect(try await engine.runInference("scale_bias", inputs: inputs) == blocking)
        let called = await withCheckedContinuation { continuation in
            engine.runInferenceAsync("scale_bias", inputs: inputs) { continuation.resume(returning: $0) }
        }
        #expect(try called.get() == blocking)
        let failed = await withCheckedContinuation { continuation in
            engine.runInferenceAsync("nobody", [1, 2]) { continuation.resume(returning: $0) }
        }
        #expect(throws: InferenceError.self) { try failed.get() }
    }
}

/// The blocking form, out of an `async` context's reach for the `async` one.
private func blockingRun(_ engine: MLEngine, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
    try engine.runInference("scale_bias", inputs: inputs)
}

/// An engine with one fixture loaded.
func loaded(_ fixtureName: String, as name: String? = nil, threads: Int = 4) throws -> MLEngine {
    let engine = MLEngine(threads: threads)
    try engine.initialize(.cpu)
    try engine.loadModel(at: fixture("\(fixtureName).onnx"), named: name ?? fixtureName)
    return engine
}
