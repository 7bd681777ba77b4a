import ArgumentParser
import Inference

/// `--acceleration` and what goes with it, for commands that run models.
struct AccelerationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("What runs the model: \(Self.names).", valueName: "name"),
        completion: .list(AccelerationType.allCases.map(\.rawValue)), transform: Self.named)
    var acceleration = AccelerationType.cpu
    @Flag(help: "With CUDA: let matrix products round to TensorFloat-32.")
    var tf32 = false

    private static let names = AccelerationType.allCases.map(\.rawValue).joined(separator: ", ")

    @Sendable private static func named(_ name: String) throws -> AccelerationType {
        let found = AccelerationType.allCases.first { $0.rawValue.lowercased() == name.lowercased() }
        guard let found else { throw ValidationError("it takes \(names), not \(name).") }
        return found
    }

    func sessionOptions(threads: Int, graph: Bool = false) -> SessionOptions {
        SessionOptions(
            intraOpThreads: threads, acceleration: acceleration,
            cuda: CUDAOptions(graph: graph, tensorFloat32: tf32))
    }
}
