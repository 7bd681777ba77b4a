import ArgumentParser
import Devices
import Inference
import Models
import NeuralSynth
import Streaming

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures how long a run of a model takes.",
        discussion: """
            The inputs are noise. Dynamic axes are 1 unless --batch or --dim says otherwise; a streaming model's \
            slots are 2, which is 256 samples of ours. On a graphics \
            processor the time of the copies there and back is part of a run. Times depend on what else the machine does: compare ratios.

            Example: eight voices in runs of 256 samples, for five seconds:

              echoel bench decoder.onnx --batch 8 --dim slots=2 --seconds 5

            Example: every provider that there is, in turns:

              echoel bench decoder.onnx --providers all --chart providers.svg

            Example: how long it takes to be there:

              echoel bench decoder.onnx --startup

            LiteRT is among them with the same model as a .tflite file: MODEL.tflite beside it, or --tflite.

            Example: a model of 2048 samples as an effect in blocks of 256, in real time:

              echoel bench effect.onnx --realtime --block 256 --hop 2048 --seconds 20

            Example: an instrument in real time, 16 voices in blocks of 128:

              echoel bench piano --realtime --block 128 --seconds 20
            """)

    @Argument(
        help: "The model, an .onnx or .tflite file; with --realtime, an instrument's name too.",
        completion: .file(extensions: ["onnx", "tflite"]))
    var model: String
    @Option(help: "Size of the batch axis, 1 to 65536.")
    var batch = 1
    @Option(help: "Threads of a run, 1 to 64.")
    var threads = 1
    @Option(help: "Measures for at least so long, up to 3600 seconds, after a warm-up.")
    var seconds = 2.0
    @Option(
        help: ArgumentHelp("Size of another dynamic axis; may be repeated.", valueName: "name=size"))
    var dim: [AxisSize] = []
    @OptionGroup var acceleration: AccelerationOptions
    @Flag(help: "With CUDA: record the model's kernels once and launch them together.")
    var cudaGraph = false
    @Option(
        help: ArgumentHelp(
            "Measures it with several providers in turns: all, or litert and names of --acceleration.",
            valueName: "name,…"))
    var providers: ProviderList?
    @Option(help: ArgumentHelp("With --providers: a picture of the times.", valueName: "FILE.svg")) var chart:
        String?
    @Flag(
        help:
            "Measures how it is loaded by the CPU: first, again, from the cache, and the memory of ten sessions."
    )
    var startup = false
    @Option(
        help: ArgumentHelp(
            "With --providers: the same model for LiteRT; without it MODEL.tflite beside the model.",
            valueName: "FILE.tflite"), completion: .file(extensions: ["tflite"]))
    var tflite: String?
    @OptionGroup var live: RealtimeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard 1...65_536 ~= batch else { throw ValidationError("--batch takes 1 to 65536, not \(batch).") }
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        guard seconds.isFinite, 0...3600 ~= seconds else {
            throw ValidationError("--seconds takes 0 to 3600, not \(seconds).")
        }
        guard !cudaGraph || acceleration.acceleration == .cuda else {
            throw ValidationError("--cuda-graph goes with --acceleration cuda.")
        }
        guard providers == nil || (acceleration.acceleration == .cpu && !live.realtime) else {
            throw ValidationError("--providers excludes --acceleration and --realtime.")
        }
        guard
            !startup
                || (acceleration.acceleration == .cpu && !live.realtime && providers == nil && threads == 1)
        else {
            throw ValidationError(
                "--startup excludes --acceleration, --realtime, --providers and --threads.")
        }
        guard chart == nil || providers != nil else {
            throw ValidationError("--chart goes with --providers.")
        }
        guard tflite == nil || providers != nil else {
            throw ValidationError("--tflite goes with --providers.")
        }
        var names: Set<String> = []
        for axis in dim {
            guard axis.name != Self.batchAxis else { throw ValidationError("Give the batch with --batch.") }
            guard names.insert(axis.name).inserted else {
                throw ValidationError("--dim \(axis.name) is given twice.")
            }
        }
    }

    private static let batchAxis = "batch"
    private static let slotsAxis = "slots"

    func run() throws {
        let options = acceleration.sessionOptions(threads: threads, graph: cudaGraph)
        if live.realtime {
            let runtime = try OnnxRuntime.open()
            let bench = RealtimeBench(options: live, seconds: seconds)
            if model.hasSuffix(".onnx") {
                guard live.chords == nil else {
                    throw ToolError(.unusable, "--chords is for instruments, and \(model) is a model.")
                }
                let effect = try EffectLoader.anyModel(runtime, model, hop: live.hop, options)
                return try playLive { try bench.run(effect) }
            }
            let (instrument, configuration) = try instrument(runtime)
            return try playLive { try bench.run(instrument, configuration) }
        }
        // The axes are the same whatever runs the model, and they have to be known before it is measured.
        let processor = try Session(model: model, options: SessionOptions(intraOpThreads: threads))
        let manifest = try ModelManifest.beside(model: model)
        try manifest?.check(against: processor)
        let sizes = try Self.sizes(for: processor, model: model, batch: batch, dim: dim)
        if let slots = sizes[Self.slotsAxis], let maximum = manifest?.maximumSlots, slots > maximum {
            throw ToolError(
                .unusable,
                "\(model) takes at most \(maximum) slots in a run, as its manifest says, not \(slots). "
                    + "Give --dim \(Self.slotsAxis)=\(maximum) or less.")
        }
        if let providers { return try measure(providers, sizes) }
        if startup { return try measureStartup(sizes) }
        let session =
            acceleration.acceleration == .cpu
            ? processor
            : try Session(
                model: model,
                options: acceleration.sessionOptions(
                    threads: threads, graph: cudaGraph, manifest: manifest, dimensions: sizes))
        if let note = session.accelerationNote { Terminal.note(Terminal.clean(note)) }
        let statistics = try session.measureLatency(
            dimensions: sizes, warmUpRuns: 5, runs: 10, seconds: seconds)
        let report = Report(
            statistics, provider: session.provider, batch: batch, threads: threads, dimensions: sizes,
            audioSeconds: Self.audioSeconds(manifest, slots: sizes[Self.slotsAxis] ?? 1))
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text(model: model))
        }
    }

    private func measure(_ providers: ProviderList, _ sizes: [String: Int]) throws {
        guard !Session.isForLiteRT(model) else {
            throw ToolError(
                .unusable,
                "\(model) runs by LiteRT alone. To compare it with ONNX Runtime's providers, give the .onnx file and "
                    + "--tflite \(model).")
        }
        if let chart { try StagedFiles.checkTarget(chart) }
        let bench = ProviderBench(
            model: model, threads: threads, dimensions: sizes, seconds: seconds, tflite: tflite,
            candidates: providers.candidates)
        let report = ProviderReport(
            model: model, threads: threads, dimensions: sizes, providers: try bench.run())
        if let chart { try StagedFiles.write([(chart, Array(report.chart.utf8))]) }
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text)
        }
    }

    private func measureStartup(_ sizes: [String: Int]) throws {
        let report = try StartupBench(model: model, dimensions: sizes).run()
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text(model: model))
        }
    }

    /// The instrument of that name, as `play` would play it.
    ///
    /// - Throws: `unusable` where something is asked for that only models have.
    private func instrument(_ runtime: OnnxRuntime) throws -> (NeuralInstrument, NeuralSynthConfiguration) {
        guard live.hop == nil, live.work == nil, live.streams == 1, 1...8 ~= live.workers ?? 1 else {
            throw ToolError(
                .unusable,
                "--hop, --work, --streams and more than 8 --workers are for models, and \(model) is no .onnx file."
            )
        }
        let store = try store.store()
        var loader = InstrumentLoader(runtime: runtime, store: store, threads: threads)
        var configuration = NeuralSynthConfiguration()
        configuration.voices = live.voices
        configuration.sliceSamples = Play.sliceSamples
        return (try loader.load(store.instrument(named: model)), configuration)
    }

    private func playLive(_ play: () throws -> (RealtimeBench.Report, PacedTrial)) throws {
        if let file = live.histogram { try StagedFiles.checkTarget(file) }
        let (report, trial) = try play()
        if let file = live.histogram {
            let title = "\(model): blocks of \(live.block) frames"
            try StagedFiles.write([(file, Array(trial.histogram(title: title).utf8))])
        }
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text(model: model))
        }
    }

    /// The sizes of the dynamic axes by name.
    static func sizes(
        for session: Session, model: String, batch: Int, dim: [AxisSize]
    ) throws -> [String: Int] {
        let names = Set(session.inputs.flatMap { $0.shape.flatMap(Self.names) })
        var sizes: [String: Int] = [:]
        if names.contains(Self.slotsAxis) { sizes[Self.slotsAxis] = 2 }
        for axis in dim {
            guard names.contains(axis.name) else {
                let list = names.sorted().joined(separator: ", ")
                throw ToolError(
                    .unusable,
                    "\(model) has no dynamic axis \(axis.name). It has: \(list.isEmpty ? "none" : list).")
            }
            sizes[axis.name] = axis.size
        }
        if names.contains(Self.batchAxis) {
            sizes[Self.batchAxis] = batch
        } else if batch > 1 {
            let leading = Set(session.inputs.compactMap { $0.shape.first.map(Self.names)?.first })
            guard leading.count == 1, let name = leading.first, sizes[name] == nil else {
                throw ToolError(
                    .unusable,
                    "\(model) has no dynamic batch axis, so --batch \(batch) cannot be had. Leave --batch out"
                        + (names.isEmpty
                            ? "."
                            : ", or name an axis with --dim: \(names.sorted().joined(separator: ", ")).")
                )
            }
            sizes[name] = batch
        }
        return sizes
    }

    /// The plain names in a dynamic axis's name, which may be an expression such as `8*slots`.
    static func names(in dimension: Dimension) -> [String] {
        guard case .dynamic(let name?) = dimension else { return [] }
        return name.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
            .filter { !($0.first?.isNumber ?? true) }.map(String.init)
    }

    /// Seconds of sound that a run of a streaming model covers, per voice.
    private static func audioSeconds(_ manifest: ModelManifest?, slots: Int) -> Double? {
        guard let slotSamples = manifest?.slotSamples, let sampleRate = manifest?.sampleRate else {
            return nil
        }
        return Double(slots * slotSamples) / Double(sampleRate)
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let p50Ms, p95Ms, p99Ms, maxMs, fastestMs, averageMs: Double
        let runs: Int
        let provider: String
        let batch, threads: Int
        /// Every dynamic axis that was given a size.
        let dimensions: [String: Int]
        /// Seconds of sound per second of work, all voices together; only for streaming models.
        let realTimeFactor: Double?

        init(
            _ statistics: LatencyStatistics, provider: String, batch: Int, threads: Int,
            dimensions: [String: Int],
            audioSeconds: Double?
        ) {
            func rounded(_ value: Double) -> Double { value.rounded(decimals: 6) }
            p50Ms = rounded(statistics.p50Milliseconds)
            p95Ms = rounded(statistics.p95Milliseconds)
            p99Ms = rounded(statistics.p99Milliseconds)
            maxMs = rounded(statistics.maxMilliseconds)
            fastestMs = rounded(statistics.fastestMilliseconds)
            averageMs = rounded(statistics.averageMilliseconds)
            runs = statistics.runs
            self.provider = provider
            self.batch = batch
            self.threads = threads
            self.dimensions = dimensions
            let p50 = statistics.p50Milliseconds / 1000
            realTimeFactor = audioSeconds.flatMap {
                p50 > 0 ? ($0 * Double(batch) / p50).rounded(decimals: 2) : nil
            }
        }

        private enum Key: String, CodingKey {
            case p50Ms, p95Ms, p99Ms, maxMs, fastestMs, averageMs, runs, provider, batch, threads, dimensions
            case realTimeFactor
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(p50Ms, forKey: .p50Ms)
            try container.encode(p95Ms, forKey: .p95Ms)
            try container.encode(p99Ms, forKey: .p99Ms)
            try container.encode(maxMs, forKey: .maxMs)
            try container.encode(fastestMs, forKey: .fastestMs)
            try container.encode(averageMs, forKey: .averageMs)
            try container.encode(runs, forKey: .runs)
            try container.encode(provider, forKey: .provider)
            try container.encode(batch, forKey: .batch)
            try container.encode(threads, forKey: .threads)
            try container.encode(dimensions, forKey: .dimensions)
            // A key that is always there, null for models that do not stream.
            try container.encode(realTimeFactor, forKey: .realTimeFactor)
        }

        func text(model: String) -> String {
            let axes = dimensions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            var facts = Table([.left, .left])
            facts.add("model", model)
            facts.add("provider", "\(provider), \(threads) thread\(threads == 1 ? "" : "s")")
            if !axes.isEmpty { facts.add("axes", axes.joined(separator: ", ")) }
            facts.add("runs", "\(runs)")
            if let realTimeFactor {
                facts.add("speed", "\(realTimeFactor.formatted(decimals: 1))× real time, all voices together")
            }
            var times = Table([.left, .right, .left])
            for (name, value) in [
                ("fastest", fastestMs), ("p50", p50Ms), ("p95", p95Ms), ("p99", p99Ms), ("max", maxMs),
            ] { times.add(name, value.formatted(decimals: 4), "ms") }
            return "\(facts.text)\n\n\(times.text)"
        }
    }
}

/// `all`, or accelerations by name, of `--providers`; the processor is always there to compare with.
struct ProviderList: ExpressibleByArgument {
    let candidates: [ProviderCandidate]

    init?(argument: String) {
        let names = argument.split(separator: ",").map { $0.lowercased() }
        let known = Set(ProviderCandidate.all.map { $0.name.lowercased() } + ["all"])
        guard !names.isEmpty, names.allSatisfy(known.contains) else { return nil }
        candidates = ProviderCandidate.all.filter {
            $0.isReference || names.contains("all") || names.contains($0.name.lowercased())
        }
    }
}
