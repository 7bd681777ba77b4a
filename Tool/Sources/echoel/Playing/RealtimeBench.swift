import Devices
import Foundation
import Inference
import Streaming

/// `bench --realtime`: an effect played by a clock, and what its audio thread noticed.
struct RealtimeBench {
    let model: EffectModel
    let options: RealtimeOptions
    let seconds: Double

    func run() throws -> (Report, PacedTrial) {
        let rate = RealtimeOptions.sampleRate
        let work =
            try options.work
            ?? MeasuredWork.samples(
                of: model, sampleRate: rate, streams: options.streams, workers: options.workers)
        let configuration = EffectConfiguration(
            blockFrames: options.block, workSamples: work, sampleRate: rate, streams: options.streams,
            workers: options.workers)
        let engine = try AsyncInferenceEngine(model, configuration)
        let idle = Self.idlePercent(seconds: min(2, seconds))
        let blocks = max(1, Int(seconds * Double(rate) / Double(options.block)))
        let trial = try PacedTrial.run(engine, blockFrames: options.block, sampleRate: rate, blocks: blocks)
        engine.stop()
        return (Report(trial, engine: engine, options: options, idleCpuPercent: idle), trial)
    }

    /// Processor time that this process takes while nothing is played, in percent of one processor.
    private static func idlePercent(seconds: Double) -> Double {
        let before = clock()
        Thread.sleep(forTimeInterval: max(0.1, seconds))
        return 100 * Double(clock() - before) / Double(CLOCKS_PER_SEC) / max(0.1, seconds)
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let latencySamples, bufferingSamples, modelSamples, lookAheadSamples, resamplingSamples: Int
        let processP50Us, processP99Us, processP999Us, processMaxUs: Double
        /// Blocks in which something was concealed although the canary was in time; and with those in which it was not.
        let underruns, underrunsWithCanaryLate: Int
        let lateSlices, skippedSlices: Int
        let idleCpuPercent: Double
        let residentMiB: Double
        let streams, workers, block, hop, blocks: Int
        /// Blocks in which a thread that does nothing woke up more than a millisecond late.
        let canaryLateBlocks: Int
        let workersAreRealtime: Bool

        init(
            _ trial: PacedTrial, engine: AsyncInferenceEngine, options: RealtimeOptions,
            idleCpuPercent: Double
        ) {
            latencySamples = engine.latency.total
            bufferingSamples = engine.latency.buffering
            modelSamples = engine.latency.model
            lookAheadSamples = engine.latency.lookAhead
            resamplingSamples = engine.latency.resampling
            let times = LatencyStatistics(milliseconds: trial.processNanoseconds.map { Double($0) / 1e6 })
            func microseconds(_ milliseconds: Double) -> Double { (1000 * milliseconds).rounded(decimals: 2) }
            processP50Us = microseconds(times.p50Milliseconds)
            processP99Us = microseconds(times.p99Milliseconds)
            processP999Us = microseconds(times.p999Milliseconds)
            processMaxUs = microseconds(times.maxMilliseconds)
            underruns = trial.underruns
            underrunsWithCanaryLate = trial.blocksWithMisses
            lateSlices = trial.lateHops
            skippedSlices = trial.skippedHops
            self.idleCpuPercent = idleCpuPercent.rounded(decimals: 2)
            residentMiB = Self.residentMiB().rounded(decimals: 1)
            streams = options.streams
            workers = options.workers
            block = options.block
            hop = engine.hop
            blocks = trial.blocks
            canaryLateBlocks = trial.canaryLateBlocks
            workersAreRealtime = engine.realtimeWorkers == options.workers
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
            facts.add(
                "played",
                "\(streams) × \(blocks) blocks of \(block) frames, hops of \(hop), \(workers) workers")
            facts.add(
                "latency",
                "\(latencySamples) samples (buffering \(bufferingSamples), look-ahead \(lookAheadSamples))")
            facts.add(
                "underruns",
                "\(underruns) blocks; \(underrunsWithCanaryLate) with those in which the machine stood still "
                    + "(\(canaryLateBlocks))")
            facts.add("late", "\(lateSlices) hops, \(skippedSlices) left out")
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

extension PacedTrial {
    /// A picture of how long blocks took: how many there were in each of 60 equal steps of the logarithm of time.
    func histogram(title: String) -> String {
        let (width, height, left, bottom) = (740.0, 260.0, 50.0, 40.0)
        let (shortest, longest) = (100.0, 10_000_000.0)  // nanoseconds
        let steps = 60
        var counts = [Int](repeating: 0, count: steps)
        for time in processNanoseconds {
            let place = log(max(Double(time), shortest) / shortest) / log(longest / shortest) * Double(steps)
            counts[min(steps - 1, Int(place))] += 1
        }
        // Rare ones are what is looked for: the heights are logarithms too.
        let most = log(Double(max(counts.max() ?? 1, 1)) + 1)
        let column = (width - left - 30) / Double(steps)
        var shapes = ""
        for (index, count) in counts.enumerated() where count > 0 {
            let tall = (height - bottom - 30) * log(Double(count) + 1) / most
            shapes +=
                "<rect x=\"\(left + Double(index) * column)\" y=\"\(height - bottom - tall)\" width=\"\(column - 1)\" "
                + "height=\"\(tall)\" fill=\"#3b6ea5\"><title>\(count)</title></rect>\n"
        }
        for (label, time) in [("1 µs", 1e3), ("10 µs", 1e4), ("100 µs", 1e5), ("1 ms", 1e6), ("10 ms", 1e7)] {
            let x = left + log(time / shortest) / log(longest / shortest) * (width - left - 30)
            shapes +=
                "<line x1=\"\(x)\" y1=\"\(height - bottom)\" x2=\"\(x)\" y2=\"\(height - bottom + 5)\" stroke=\"#444\"/>"
                + "<text x=\"\(x)\" y=\"\(height - 15)\" text-anchor=\"middle\">\(label)</text>\n"
        }
        let escaped = title.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(left)" y="18">\(escaped)</text>
            <line x1="\(left)" y1="\(height - bottom)" x2="\(width - 10)" y2="\(height - bottom)" stroke="#444"/>
            \(shapes)</svg>

            """
    }
}
