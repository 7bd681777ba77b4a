import ArgumentParser
import Foundation
import Inference
import Models

/// What `bench --providers` starts for each provider: a process opens one build of ONNX Runtime, and what a provider does to
/// its process happens to this one. It loads the model, says what it is, and then runs it as often as each line of standard
/// input says, with the times on a line of standard output.
struct ProviderWorker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-provider", shouldDisplay: false)

    @Argument var model: String
    @Option var threads = 1
    @Option var dim: [AxisSize] = []
    @OptionGroup var acceleration: AccelerationOptions
    /// Where its results go.
    @Option var results: String
    /// Whose results they are compared with.
    @Option var reference: String?
    /// Results of the same in f32: equal ones are no other precision.
    @Option var plain: String?

    /// The first line.
    struct Greeting: Codable {
        var available: Bool
        var reason: String?
        var snrDb: Double?
        var runtime: String?
    }

    /// Lines that begin so are ours: libraries may write to standard output, too.
    static let mark = "echoel "

    func run() throws {
        let trial: LatencyTrial
        do {
            let isLiteRT = Session.isForLiteRT(model)
            // The axes of a .tflite file have no names: it has the sizes, or another count of results, which is seen below.
            let dimensions = isLiteRT ? [:] : Dictionary(dim.map { ($0.name, $0.size) }) { first, _ in first }
            let options = acceleration.sessionOptions(
                threads: threads, manifest: try ModelManifest.beside(model: model), dimensions: dimensions)
            let session = try Session(model: model, options: options)
            trial = try LatencyTrial(session, dimensions: dimensions)
            let outputs = try trial.outputs()
            try ProviderResults(outputs).write(to: results)
            if let plain, try ProviderResults(readingFrom: plain).outputs == outputs {
                return say(
                    Greeting(
                        available: false,
                        reason:
                            "it was asked for \(acceleration.precision) and computed in f32: this machine's "
                            + "\(acceleration.acceleration) has no \(acceleration.precision)."))
            }
            var greeting = Greeting(
                available: true,
                runtime: isLiteRT ? "LiteRT" : try OnnxRuntime.open().version)
            if let reference {
                let wanted = try ProviderResults(readingFrom: reference).outputs
                guard outputs.map(\.count) == wanted.map(\.count) else {
                    return say(
                        Greeting(
                            available: false,
                            reason:
                                "\(model) gives \(outputs.map(\.count)) numbers where the model gives \(wanted.map(\.count)): "
                                + "it is another model, or was made for other sizes of the axes."))
                }
                greeting.snrDb = Accuracy.decibels(outputs, reference: wanted)
            }
            for _ in 0..<5 { _ = try trial.run() }
            say(greeting)
        } catch {
            let reason = (error as? InferenceError).map { acceleration.acceleration.reason(in: $0) }
            return say(Greeting(available: false, reason: reason ?? "\(error)"))
        }
        while let line = readLine(), let runs = Int(line) {
            say(try (0..<runs).map { _ in try trial.run() })
        }
    }

    private func say(_ value: some Encodable) {
        guard let line = try? JSONEncoder().encode(value) else { return }
        try? FileHandle.standardOutput.write(contentsOf: Data(Self.mark.utf8) + line + Data("\n".utf8))
    }
}

/// A model's outputs in a file between two processes: of each the count and the numbers.
struct ProviderResults {
    let outputs: [[Float]]

    init(_ outputs: [[Float]]) { self.outputs = outputs }

    func write(to file: String) throws {
        var bytes = Data()
        for output in outputs {
            bytes.append(Self.bytes(of: [UInt64(output.count)]))
            bytes.append(Self.bytes(of: output))
        }
        try bytes.write(to: URL(fileURLWithPath: file))
    }

    init(readingFrom file: String) throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        var outputs: [[Float]] = []
        var place = 0
        while place + 8 <= bytes.count {
            let count = (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
            place += 8
            guard count >= 0, count <= (bytes.count - place) / 4 else { break }
            outputs.append(
                (0..<count).map { index in
                    Float(
                        bitPattern: (0..<4).reduce(0) {
                            $0 | UInt32(bytes[place + 4 * index + $1]) << (8 * $1)
                        })
                })
            place += 4 * count
        }
        self.outputs = outputs
    }

    private static func bytes<Value: BitwiseCopyable>(of values: [Value]) -> Data {
        unsafe values.withUnsafeBytes { unsafe Data($0) }
    }
}
