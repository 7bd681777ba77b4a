import Foundation
import Inference

/// Measures a model with every provider, interleaved: all are loaded, each in a process of its own, and take turns, so that
/// what else the machine does meets all of them alike.
struct ProviderBench {
    let model: String
    let threads: Int
    /// Sizes of dynamic axes.
    let dimensions: [String: Int]
    /// For each provider.
    let seconds: Double
    /// The same model for LiteRT; nil for `MODEL.tflite` beside it.
    var tflite: String?
    var candidates = ProviderCandidate.all
    var runtimes: RuntimeFolder? = try? RuntimeFolder.standard()

    /// The ONNX Runtime of those whose package is not installed; nil for the one that is found.
    var library: String?
    /// `echoel`; nil for this program.
    var program: String?

    private static let rounds = 10
    /// TensorRT builds an engine for minutes.
    private static let loadingSeconds = 300.0

    private struct Contender {
        let candidate: ProviderCandidate
        var process: ProviderProcess?
        var greeting = ProviderWorker.Greeting(available: false)
        var milliseconds: [Double] = []

        mutating func give(up reason: String) {
            process = nil
            greeting.available = false
            greeting.reason = reason
        }
    }

    /// - Throws: `unusable` where not even the processor runs it, `Interrupted`.
    func run() throws -> [ProviderRow] {
        let scratch = "\(NSTemporaryDirectory())/echoel-providers-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        return try Interruption.deferring {
            var contenders: [Contender] = []
            for (index, candidate) in candidates.enumerated() {
                contenders.append(try start(candidate, index, scratch))
                let last = contenders[contenders.count - 1].greeting
                if candidate.isReference, !last.available {
                    throw ToolError(.unusable, last.reason ?? "\(model) does not run.")
                }
            }
            try measure(&contenders)
            return contenders.map(Self.row)
        }
    }

    /// `decoder.tflite` for `decoder.onnx`.
    static func tflite(beside model: String) -> String {
        "\(model.hasSuffix(".onnx") ? String(model.dropLast(".onnx".count)) : model).tflite"
    }

    private func start(_ candidate: ProviderCandidate, _ index: Int, _ scratch: String) throws -> Contender {
        func results(_ index: Int) -> String { "\(scratch)/\(index)" }
        var contender = Contender(candidate: candidate)
        let tflite = tflite ?? Self.tflite(beside: model)
        if candidate.isLiteRT, !FileManager.default.fileExists(atPath: tflite) {
            contender.give(up: "there is no \(tflite). Give the same model as a .tflite file with --tflite.")
            return contender
        }
        var arguments =
            [candidate.isLiteRT ? tflite : model, "--threads", "\(threads)", "--results", results(index)]
            + candidate.arguments
        for (name, size) in dimensions.sorted(by: { $0.key < $1.key }) {
            arguments += ["--dim", "\(name)=\(size)"]
        }
        if let cpu = candidates.firstIndex(where: \.isReference), cpu < index {
            arguments += ["--reference", results(cpu)]
        }
        let plain = candidates.firstIndex {
            $0.name == candidate.name && $0.device == candidate.device && $0.precision == .f32
        }
        if candidate.precision != .f32, let plain, FileManager.default.fileExists(atPath: results(plain)) {
            arguments += ["--plain", results(plain)]
        }
        let runtime = candidate.isLiteRT ? nil : try? runtimes?.find(candidate.package)
        do {
            let process = try ProviderProcess(arguments, runtime: runtime?.path ?? library, program: program)
            contender.greeting = try process.answer(ProviderWorker.Greeting.self, within: Self.loadingSeconds)
            contender.process = contender.greeting.available ? process : nil
        } catch let silence as ProviderProcess.Silence {
            contender.give(up: silence.reason)
        }
        return contender
    }

    private func measure(_ contenders: inout [Contender]) throws {
        for round in 0..<Self.rounds {
            for turn in contenders.indices {
                let index = (turn + round) % contenders.count
                guard let process = contenders[index].process else { continue }
                do {
                    let known = contenders[index].milliseconds
                    let average = known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
                    let share = seconds * 1000 / Double(Self.rounds)
                    process.ask(max(average.map { Int(share / max($0, 1e-3)) } ?? 3, 3))
                    contenders[index].milliseconds += try process.answer(
                        [Double].self, within: 60 + 20 * seconds)
                } catch let silence as ProviderProcess.Silence {
                    contenders[index].give(up: "it failed while it was measured: \(silence.reason)")
                }
            }
        }
    }

    private static func row(_ contender: Contender) -> ProviderRow {
        let isThere = contender.greeting.available && !contender.milliseconds.isEmpty
        let times = LatencyStatistics(milliseconds: contender.milliseconds)
        return ProviderRow(
            provider: contender.candidate.name,
            device: contender.candidate.acceleration == .openVINO
                ? contender.candidate.device.rawValue.lowercased() : nil,
            precision: contender.candidate.precisionName, available: isThere,
            reason: isThere ? nil : contender.greeting.reason,
            p50Ms: isThere ? times.p50Milliseconds.rounded(decimals: 6) : nil,
            p99Ms: isThere ? times.p99Milliseconds.rounded(decimals: 6) : nil,
            snrDb: isThere ? contender.greeting.snrDb.map { $0.rounded(decimals: 1) } : nil,
            runs: isThere ? times.runs : nil, runtime: isThere ? contender.greeting.runtime : nil)
    }
}
