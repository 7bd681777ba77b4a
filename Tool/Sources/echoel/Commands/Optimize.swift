import ArgumentParser
import Foundation
import GraphOptimizer
import Inference
import Models

struct Optimize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rewrites a model so that it runs faster on this machine, and proves it.",
        discussion: """
            Each rewrite is compared with the original on random numbers (streaming models over several runs, with their \
            states) and measured beside the model without it, in turns. One that is too far from the original, or does not \
            help here, is not kept. The result is for any machine, but what helps is this one's to say. A second time \
            changes nothing: the model remembers what was tried.

            Always tried: \(Rewrites.standardNames.joined(separator: ", ")). When asked for: shape-specialisation \
            (--fix), byte-matrices (--int8), calibrated-int8 (--calibration), half-weights (--weights).

            Example: a decoder, eight voices in runs of two slots:

              echoel optimize decoder.onnx --batch 8 --dim slots=2

            Example: matrices in bytes, and what is lost by that:

              echoel optimize decoder.onnx --int8 --snr 40 --out decoder.int8.onnx
            """)

    @Argument(help: "The model, an .onnx file.", completion: .file(extensions: ["onnx"]))
    var model: String
    @Option(
        help: ArgumentHelp(
            "The rewritten model. Without it: MODEL.optimized.onnx beside the model.", valueName: "FILE.onnx")
    )
    var out: String?
    @Option(help: ArgumentHelp("The least signal-to-noise ratio to the original, 0 to 200.", valueName: "dB"))
    var snr = 60.0
    @Option(help: ArgumentHelp("Only these rewrites.", valueName: "name,…"), transform: Self.names)
    var only: Set<String>?
    @Option(help: ArgumentHelp("Not these rewrites.", valueName: "name,…"), transform: Self.names)
    var without: Set<String> = []
    @Flag(help: "Also multiply large matrices in bytes.")
    var int8 = false
    @Option(
        help: ArgumentHelp(
            "Also compute convolutions in bytes, in steps of the ranges that they have on an input's examples; once for each "
                + "input that is given. The array's first axis counts the runs.", valueName: "name=file.npy"))
    var calibration: [TensorFile] = []
    @Option(
        help: ArgumentHelp("Also store large weights in two bytes each: f16 or bf16.", valueName: "format"))
    var weights: WeightFormat?
    @Flag(help: "Also fix the batch and the axes of --dim at their sizes.")
    var fix = false
    @Option(help: "Size of the batch axis that is compared and measured, 1 to 65536.")
    var batch = 1
    @Option(help: ArgumentHelp("Size of another dynamic axis; may be repeated.", valueName: "name=size"))
    var dim: [AxisSize] = []
    @Option(help: "Threads of a run, 1 to 64.")
    var threads = 1
    @Option(help: "Measures each rewrite for so long, 0.05 to 600 seconds.")
    var seconds = 2.0
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard 1...65_536 ~= batch else { throw ValidationError("--batch takes 1 to 65536, not \(batch).") }
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        guard 0...200 ~= snr else { throw ValidationError("--snr takes 0 to 200, not \(snr).") }
        guard 0.05...600 ~= seconds else {
            throw ValidationError("--seconds takes 0.05 to 600, not \(seconds).")
        }
        if let doubled = dim.map(\.name).first(where: { name in dim.filter { $0.name == name }.count > 1 }) {
            throw ValidationError("--dim \(doubled) is given twice.")
        }
        guard only == nil || without.isEmpty else { throw ValidationError("--only excludes --without.") }
    }

    @Sendable private static func names(_ text: String) throws -> Set<String> {
        let names = Set(text.split(separator: ",").map(String.init))
        if let unknown = names.sorted().first(where: { !Rewrites.allNames.contains($0) }) {
            throw ValidationError("it takes \(Rewrites.allNames.joined(separator: ", ")), not \(unknown).")
        }
        return names
    }

    func run() throws {
        let target = out ?? Self.standardTarget(model)
        try StagedFiles.checkTarget(target)
        let runtime = try OnnxRuntime.open()
        let session = try Session(
            runtime, model: model, options: SessionOptions(intraOpThreads: threads, cache: .off))
        let manifest = try ModelManifest.beside(model: model)
        try manifest?.check(against: session)
        let sizes = try Bench.sizes(for: session, model: model, batch: batch, dim: dim)
        let stimulus = Self.stimulus(session, manifest, sizes)
        let optimizer = Optimizer(
            runtime, rewrites: try rewrites(runtime, session, stimulus), stimulus: stimulus,
            leastDecibels: max(snr, manifest?.leastSnrDb ?? 0), threads: threads, seconds: seconds)
        let outcome: Optimizer.Outcome
        let hasOwnData: Bool
        do {
            let file = try ModelFile.read(model)
            hasOwnData = file.hasOwnData
            outcome = try optimizer.optimize(file.model) { step in
                Terminal.note(Terminal.clean(Self.line(step)))
            }
        } catch let error as OptimizeError {
            throw ToolError(.unusable, "\(model) cannot be optimised: \(error)")
        }
        let dataFile = hasOwnData ? "\(target).data" : nil
        let bytes = try ModelFile.bytes(
            of: outcome.model, dataName: dataFile.map { URL(fileURLWithPath: $0).lastPathComponent })
        var files: [(file: String, bytes: [UInt8])] = []
        if let data = bytes.data, let dataFile { files.append((dataFile, data)) }
        files.append((target, bytes.model))
        try StagedFiles.write(files)
        let report = OptimizeReport(model: model, out: target, sizes: sizes, threads: threads, outcome)
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text)
        }
    }

    private func rewrites(
        _ runtime: OnnxRuntime, _ session: Session, _ stimulus: Stimulus
    ) throws -> [any GraphRewrite] {
        var rewrites = Rewrites.standard(runtime)
        if fix { rewrites.insert(ShapeSpecialization(stimulus.sizes), at: 0) }
        if int8 { rewrites.append(ByteMatrices()) }
        if !calibration.isEmpty {
            var examples = stimulus
            for file in calibration { examples.given[file.name] = try Self.examples(file, for: session) }
            examples.runs = examples.given.values.map(\.count).max() ?? 1
            rewrites.append(CalibratedConvolutions(runtime, calibration: examples))
        }
        if let weights { rewrites.append(HalfWeights(weights.format)) }
        return rewrites.filter { only?.contains($0.name) ?? !without.contains($0.name) }
    }

    /// Random numbers, of frequencies such as are heard; a streaming model's states go from run to run.
    private static func stimulus(_ session: Session, _ manifest: ModelManifest?, _ sizes: [String: Int])
        -> Stimulus
    {
        var ranges: [String: ClosedRange<Float>] = [:]
        for tensor in manifest?.inputs ?? [] where tensor.unit == "Hz" { ranges[tensor.name] = 55...1760 }
        let states = manifest?.states?.map { ($0.input, $0.output) } ?? Stimulus.namedStates(session)
        return Stimulus(sizes: sizes, ranges: ranges, states: states)
    }

    /// The tensors of run after run that an array holds.
    private static func examples(_ file: TensorFile, for session: Session) throws -> [Tensor] {
        guard let info = session.inputs.first(where: { $0.name == file.name }) else {
            let list = session.inputs.map(\.description).joined(separator: "; ")
            throw ToolError(.wrongTensors, "The model has no input \(file.name). It has: \(list).")
        }
        let array = try NumPyArray(contentsOf: file.file)
        guard let runs = array.shape.first, runs >= 1, array.shape.count == info.shape.count + 1,
            array.element.elementType == info.elementType
        else {
            throw ToolError(
                .unsupportedArray,
                "\(file.file) holds \(array.element.name) \(array.shape); it takes the input \(info) with one more axis "
                    + "before the others, which counts the runs.")
        }
        let bytes = array.bytes.count / runs
        return try (0..<runs).map { run in
            try Tensor(
                elementType: info.elementType, shape: Array(array.shape.dropFirst()),
                bytes: Array(array.bytes[run * bytes..<(run + 1) * bytes]))
        }
    }

    private static func standardTarget(_ model: String) -> String {
        let stem = model.hasSuffix(".onnx") ? String(model.dropLast(".onnx".count)) : model
        return "\(stem).optimized.onnx"
    }

    static func line(_ step: Optimizer.Step) -> String {
        var line = "\(step.isKept ? "kept" : "not kept"): \(step.name), \(step.what)"
        if let decibels = step.decibels { line += ", SNR \(decibels.formatted(decimals: 1)) dB" }
        if let before = step.beforeMilliseconds, let after = step.afterMilliseconds {
            line += ", \(before.formatted(decimals: 3)) → \(after.formatted(decimals: 3)) ms"
        }
        return line + (step.reason.map { " (\($0))" } ?? "")
    }
}

/// `--weights`.
enum WeightFormat: String, ExpressibleByArgument, CaseIterable {
    case f16, bf16

    var format: HalfWeights.Format { self == .f16 ? .f16 : .bf16 }
}

/// What `optimize` says. Others rely on these keys; more may be added.
struct OptimizeReport: Encodable {
    struct Rewrite: Encodable {
        let name, what: String
        let kept: Bool
        let snrDb, beforeMs, afterMs: Double?
        let reason: String?
    }

    let model, out: String
    let dimensions: [String: Int]
    let threads: Int
    let rewrites: [Rewrite]
    /// Of the whole to the original.
    let snrDb, beforeMs, afterMs, ratio: Double

    init(model: String, out: String, sizes: [String: Int], threads: Int, _ outcome: Optimizer.Outcome) {
        self.model = model
        self.out = out
        dimensions = sizes
        self.threads = threads
        rewrites = outcome.steps.map { step in
            Rewrite(
                name: step.name, what: step.what, kept: step.isKept,
                snrDb: step.decibels?.rounded(decimals: 1),
                beforeMs: step.beforeMilliseconds?.rounded(decimals: 4),
                afterMs: step.afterMilliseconds?.rounded(decimals: 4), reason: step.reason)
        }
        snrDb = outcome.decibels.rounded(decimals: 1)
        beforeMs = outcome.beforeMilliseconds.rounded(decimals: 4)
        afterMs = outcome.afterMilliseconds.rounded(decimals: 4)
        ratio = outcome.ratio.rounded(decimals: 3)
    }

    var text: String {
        var table = Table(
            [.left, .left, .right, .right, .right, .left],
            header: ["rewrite", "what", "SNR dB", "before ms", "after ms", "kept"])
        func number(_ value: Double?, _ decimals: Int) -> String {
            value?.formatted(decimals: decimals) ?? ""
        }
        for rewrite in rewrites {
            table.add(
                rewrite.name, rewrite.what, number(rewrite.snrDb, 1), number(rewrite.beforeMs, 3),
                number(rewrite.afterMs, 3), rewrite.kept ? "yes" : "no: \(rewrite.reason ?? "")")
        }
        table.add(
            "all", "", number(snrDb, 1), number(beforeMs, 3), number(afterMs, 3),
            "\(ratio.formatted(decimals: 2)) × the time")
        let nothing = rewrites.contains(where: \.kept) ? "" : "\nNothing was changed."
        return "\(table.text)\(nothing)\n\n\(out)"
    }
}
