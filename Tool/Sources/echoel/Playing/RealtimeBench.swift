import Devices
import Foundation
import Inference
import Models
import NeuralSynth
import Player
import Realtime
import Streaming

/// `bench --realtime`: an effect or an instrument played by a clock, and what its audio thread noticed.
struct RealtimeBench {
    let options: RealtimeOptions
    let seconds: Double

    private static let sampleRate = RealtimeOptions.sampleRate

    func run(_ model: EffectModel) throws -> (Report, PacedTrial) {
        let workers = options.workers ?? 1
        let work =
            try options.work
            ?? MeasuredWork.samples(
                of: model, sampleRate: Self.sampleRate, streams: options.streams, workers: workers)
        let configuration = EffectConfiguration(
            blockFrames: options.block, workSamples: work, sampleRate: Self.sampleRate,
            streams: options.streams,
            workers: workers)
        let engine = try AsyncInferenceEngine(model, configuration)
        let idle = Self.idlePercent(seconds: min(2, seconds))
        let trial = try PacedTrial.run(
            PacedEffect(engine, blockFrames: options.block), blockFrames: options.block,
            sampleRate: Self.sampleRate, blocks: blocks(in: seconds))
        engine.stop()
        if let failure = engine.failure { throw failure }
        var report = Report(
            trial, latency: engine.latency, options: options, workers: workers, idleCpuPercent: idle)
        report.hop = engine.hop
        report.workersAreRealtime = engine.realtimeWorkers == workers
        return (report, trial)
    }

    /// An instrument as `play` plays it.
    ///
    /// - Throws: `unusable` for more voices than there are keys, among others.
    func run(_ instrument: NeuralInstrument, _ configuration: NeuralSynthConfiguration) throws -> (
        Report, PacedTrial
    ) {
        let workers = options.workers ?? LiveConfiguration.defaultWorkers
        let live = try LivePlayer(
            instruments: [instrument], configuration: configuration,
            live: LiveConfiguration(
                blockFrames: options.block, lookAheadSamples: options.lookAhead,
                workers: workers, sampleRate: Self.sampleRate))
        guard configuration.voices <= instrument.keys.count else {
            throw ToolError(
                .unusable,
                "\(instrument.name) has \(instrument.keys.count) keys: --voices \(configuration.voices) cannot sound at once."
            )
        }
        let idle = Self.idlePercent(seconds: min(2, seconds))
        let performance = BenchPerformance(voices: configuration.voices, keys: instrument.keys)
        let chords = options.chords.map { performance.chords($0) }
        let end = chords?.end ?? Int(seconds * Double(Self.sampleRate))
        let sound = PacedPlayer(
            live, blockFrames: options.block, messages: chords?.messages ?? performance.steady(until: end))
        let trial = try PacedTrial.run(
            sound, blockFrames: options.block, sampleRate: Self.sampleRate,
            blocks: max(1, end / options.block))
        if let failure = live.failure { throw failure }
        var report = Report(
            trial, latency: live.latency, options: options, workers: workers, idleCpuPercent: idle)
        report.hop = configuration.sliceSamples
        report.voices = configuration.voices
        report.workersAreRealtime = live.status.workerIsRealtime
        report.chords = chords.map {
            Chords($0.starts, latency: live.latency.total, block: options.block, trial.blocks)
        }
        return (report, trial)
    }

    private func blocks(in seconds: Double) -> Int {
        max(1, Int(seconds * Double(Self.sampleRate) / Double(options.block)))
    }

    /// Processor time that this process takes while nothing is played, in percent of one processor.
    private static func idlePercent(seconds: Double) -> Double {
        let before = clock()
        Thread.sleep(forTimeInterval: max(0.1, seconds))
        return 100 * Double(clock() - before) / Double(CLOCKS_PER_SEC) / max(0.1, seconds)
    }

    /// Of the chords that landed while as many notes sounded: how many had a slice that was late.
    struct Chords: Encodable {
        let count: Int
        /// Those during which the canary was in time; and how many of them had a late slice.
        let counted, late: Int
        /// The same of all.
        let lateWithCanaryLate: Int

        /// So long after its latency a chord may still be blamed for what is late: 50 ms.
        private static let aftermath = 2400

        init(_ starts: [Int], latency: Int, block: Int, _ blocks: [PacedTrial.Block]) {
            let trials = starts.map { start in
                blocks[(start / block)..<min((start + latency + Self.aftermath) / block + 1, blocks.count)]
            }
            func isLate(_ trial: ArraySlice<PacedTrial.Block>) -> Bool {
                trial.contains { $0.lateSlices > 0 }
            }
            let clean = trials.filter { trial in !trial.contains { $0.canaryWasLate } }
            count = trials.count
            counted = clean.count
            late = clean.count(where: isLate)
            lateWithCanaryLate = trials.count(where: isLate)
        }
    }

    /// How long before the block that plays its beginning each slice or hop was there.
    struct SlackReport: Encodable {
        /// The least, and that which all but one in a hundred or in two had; less than 0 where it was too late, nil where
        /// there was none.
        let leastMs, p1Ms, p50Ms: Double?
        let late: Int
        /// How often so much was left, in steps of `stepSamples` at `sampleRate`, from none on.
        let counts: [Int]
        let stepSamples: Int
        let sampleRate: Int

        init(_ slack: Slack) {
            func rounded(_ share: Double) -> Double? {
                slack.milliseconds(allBut: share).map { $0.rounded(decimals: 2) }
            }
            (leastMs, p1Ms, p50Ms) = (rounded(0), rounded(0.01), rounded(0.5))
            late = slack.late
            counts = Array(slack.counts.prefix((slack.counts.lastIndex { $0 > 0 } ?? -1) + 1))
            (stepSamples, sampleRate) = (Slack.stepSamples, slack.sampleRate)
        }

        var text: String {
            func told(_ milliseconds: Double?) -> String {
                milliseconds.map { $0 < 0 ? "none" : "\($0.formatted(decimals: 2)) ms" } ?? "–"
            }
            return "\(told(leastMs)) at least; \(told(p1Ms)) but for 1 in 100, \(told(p50Ms)) in the middle"
        }
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let latencySamples, bufferingSamples, modelSamples, lookAheadSamples, resamplingSamples: Int
        let processP50Us, processP99Us, processP999Us, processMaxUs: Double
        /// Blocks in which something was concealed although the canary was in time; and with those in which it was not.
        let underruns, underrunsWithCanaryLate: Int
        let lateSlices, skippedSlices: Int
        let slack: SlackReport
        let idleCpuPercent: Double
        let residentMiB: Double
        let streams, workers, block, blocks: Int
        /// Samples of a run, of a slice of an instrument.
        var hop = 0
        /// Of an instrument; else nil.
        var voices: Int?
        var chords: Chords?
        /// Blocks in which a thread that does nothing woke up more than a millisecond late.
        let canaryLateBlocks: Int
        var workersAreRealtime = false

        init(
            _ trial: PacedTrial, latency: Latency, options: RealtimeOptions, workers: Int,
            idleCpuPercent: Double
        ) {
            latencySamples = latency.total
            bufferingSamples = latency.buffering
            modelSamples = latency.model
            lookAheadSamples = latency.lookAhead
            resamplingSamples = latency.resampling
            residentMiB = Self.residentMiB().rounded(decimals: 1)  // before the statistics take theirs
            let times = trial.processTimes
            func microseconds(_ nanoseconds: Double) -> Double { (1e-3 * nanoseconds).rounded(decimals: 2) }
            processP50Us = microseconds(times.nanoseconds(atShare: 0.5))
            processP99Us = microseconds(times.nanoseconds(atShare: 0.99))
            processP999Us = microseconds(times.nanoseconds(atShare: 0.999))
            processMaxUs = microseconds(Double(times.most))
            underruns = trial.underruns
            underrunsWithCanaryLate = trial.blocksWithMisses
            lateSlices = trial.lateSlices
            skippedSlices = trial.skippedSlices
            slack = SlackReport(trial.slack)
            self.idleCpuPercent = idleCpuPercent.rounded(decimals: 2)
            streams = options.streams
            self.workers = workers
            block = options.block
            blocks = trial.blocks.count
            canaryLateBlocks = trial.canaryLateBlocks
        }

        /// Memory of this process that is in use now, where the system says so; else 0.
        private static func residentMiB() -> Double {
            guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
                let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
            else { return 0 }
            return kibibytes / 1024
        }

        func text(model: String) -> String {
            var facts = Table([.left, .left])
            facts.add("model", model)
            let what = voices.map { "\($0) voices, slices of \(hop)" } ?? "hops of \(hop)"
            facts.add(
                "played",
                "\(streams) × \(blocks) blocks of \(block) frames, \(what), \(workers) worker"
                    + (workers == 1 ? "" : "s"))
            facts.add(
                "latency",
                "\(latencySamples) samples (buffering \(bufferingSamples), look-ahead \(lookAheadSamples))")
            facts.add(
                "underruns",
                "\(underruns) blocks; \(underrunsWithCanaryLate) with those in which the machine stood still "
                    + "(\(canaryLateBlocks))")
            facts.add("late", "\(lateSlices) \(voices == nil ? "hops" : "slices"), \(skippedSlices) left out")
            facts.add("slack", slack.text)
            if let chords {
                facts.add(
                    "chords",
                    "\(chords.late) of \(chords.counted) with a late slice; \(chords.lateWithCanaryLate) of "
                        + "\(chords.count) with those during which the machine stood still")
            }
            facts.add("idle", "\(idleCpuPercent.formatted(decimals: 2)) % of a processor")
            facts.add("memory", "\(residentMiB.formatted(decimals: 1)) MiB")
            var times = Table([.left, .right, .left])
            for (name, value) in [
                ("p50", processP50Us), ("p99", processP99Us), ("p99.9", processP999Us), ("max", processMaxUs),
            ] { times.add(name, value.formatted(decimals: 2), "µs in the audio thread per block") }
            return "\(facts.text)\n\n\(times.text)"
        }
    }
}
