import ArgumentParser
import Inference
import Models

/// `--acceleration` and what goes with it, for commands that run models.
struct AccelerationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("What runs the model: \(Self.names).", valueName: "name"),
        completion: .list(AccelerationType.allCases.map(\.rawValue)), transform: Self.named)
    var acceleration = AccelerationType.cpu
    @Option(
        help: ArgumentHelp("With OpenVINO: its device, cpu, gpu or npu.", valueName: "name"),
        transform: { try Self.value(OpenVINOOptions.Device(rawValue: $0.uppercased()), $0, "cpu, gpu, npu") })
    var device = OpenVINOOptions.Device.cpu
    @Option(
        help: ArgumentHelp(
            "What numbers are computed in: f32; with OpenVINO also bf16 or f16, with TensorRT f16.",
            valueName: "name"),
        transform: { try Self.value(OpenVINOOptions.Precision(rawValue: $0), $0, "f32, bf16, f16") })
    var precision = OpenVINOOptions.Precision.f32
    @Flag(help: "With CUDA: let matrix products round to TensorFloat-32.")
    var tf32 = false

    private static let names = AccelerationType.allCases.map(\.rawValue).joined(separator: ", ")

    @Sendable private static func named(_ name: String) throws -> AccelerationType {
        let found = AccelerationType.allCases.first { $0.rawValue.lowercased() == name.lowercased() }
        guard let found else { throw ValidationError("it takes \(names), not \(name).") }
        return found
    }

    private static func value<Value>(_ value: Value?, _ text: String, _ names: String) throws -> Value {
        guard let value else { throw ValidationError("it takes \(names), not \(text).") }
        return value
    }

    func validate() throws {
        switch (acceleration, precision) {
        case (_, .f32), (.openVINO, _), (.openCL, .f16), (.tensorRT, .f16): break
        default:
            throw ValidationError("--acceleration \(acceleration) computes in f32 alone, not \(precision).")
        }
        guard device == .cpu || acceleration == .openVINO else {
            throw ValidationError("--device goes with --acceleration openVINO.")
        }
    }

    /// - Parameters:
    ///   - manifest: the model's, whose bound on the accuracy counts.
    ///   - dimensions: sizes of dynamic axes with which the accuracy, and `auto`, are measured.
    func sessionOptions(
        threads: Int, graph: Bool = false, manifest: ModelManifest? = nil, dimensions: [String: Int] = [:]
    ) -> SessionOptions {
        SessionOptions(
            intraOpThreads: threads, acceleration: acceleration, auto: AutoOptions(dimensions: dimensions),
            cuda: CUDAOptions(graph: graph, tensorFloat32: tf32),
            tensorRT: TensorRTOptions(float16: precision == .f16),
            openVINO: OpenVINOOptions(device: device, precision: precision),
            leastDecibels: manifest?.leastSnrDb)
    }
}
