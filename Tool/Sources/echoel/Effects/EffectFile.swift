import Devices
import Foundation
import Inference
import MusicIO
import Streaming

/// Sends a sound file through a model into another.
struct EffectFile {
    let model: EffectModel
    let input: String
    let output: String

    /// - Throws: `MusicIOError`, `InferenceError`, `Interrupted`; no file is left then.
    func run() throws -> Report {
        try Interruption.deferring {
            var reader = try AudioFileReader(path: input)
            let (channels, rate, frames) = (reader.channels, reader.sampleRate, reader.frames ?? 0)
            // A mono sound goes into every channel of a model that has more.
            let effectChannels = channels == 1 ? model.description.channels : channels
            let effect = try OfflineEffect(model, channels: effectChannels, sampleRate: rate)
            var writer = try AudioFileWriter(
                path: output, sampleRate: rate, channels: effectChannels,
                bitDepth: output.lowercased().hasSuffix(".flac") ? .pcm24 : .float32, expectedFrames: frames)
            let name = URL(fileURLWithPath: input).lastPathComponent
            var progress = Progress(Terminal.clean(name), total: Double(frames) / Double(rate))
            defer { progress.finish() }
            var written = 0
            try effect.render(
                read: { rows in
                    try Interruption.check()
                    return try Self.read(&reader, channels: channels, into: &rows)
                },
                write: { rows, count in
                    var interleaved: [Float] = []
                    interleaved.reserveCapacity(count * rows.count)
                    for frame in 0..<count { for row in rows { interleaved.append(row[frame]) } }
                    try writer.write(interleaved.span)
                    written += count
                    progress.update(Double(written) / Double(rate))
                })
            try Interruption.check()
            let summary = try writer.finish()
            return Report(summary, effect.latency, workSeconds: progress.elapsedSeconds)
        }
    }

    /// Fills the rows, from as many reads as that takes.
    private static func read(
        _ reader: inout AudioFileReader, channels: Int, into rows: inout [[Float]]
    ) throws -> Int {
        let wanted = rows[0].count
        var block: [Float] = []
        while block.count < channels * wanted {
            var part = [Float](repeating: 0, count: channels * wanted - block.count)
            var span = part.mutableSpan
            let given = try reader.read(into: &span)
            if given == 0 { break }
            block += part[..<(channels * given)]
        }
        let count = block.count / channels
        for row in rows.indices {
            let channel = min(row, channels - 1)
            for frame in 0..<count { rows[row][frame] = block[frame * channels + channel] }
        }
        return count
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let file: String
        let seconds: Double
        let sampleRate, channels: Int
        /// The largest magnitude of a sample, 1 = full scale.
        let peak: Double
        /// What was trimmed from the start, by what it is for.
        let latencySamples, bufferingSamples, modelSamples, lookAheadSamples, resamplingSamples: Int
        /// Seconds of sound per second of work.
        let realTimeFactor: Double

        init(_ summary: AudioFileWriter.Summary, _ latency: Latency, workSeconds: Double) {
            file = summary.path
            seconds = summary.seconds.rounded(decimals: 6)
            sampleRate = summary.sampleRate
            channels = summary.channels
            peak = Double(summary.peak)
            latencySamples = latency.total
            bufferingSamples = latency.buffering
            modelSamples = latency.model
            lookAheadSamples = latency.lookAhead
            resamplingSamples = latency.resampling
            realTimeFactor = (summary.seconds / max(workSeconds, 1e-9)).rounded(decimals: 2)
        }

        var text: String {
            "\(Terminal.clean(file)): \(seconds.formatted(decimals: 1)) s at \(sampleRate) Hz, peak "
                + "\(LiveMeter.decibels(Float(peak))), \(realTimeFactor.formatted(decimals: 1))× real time"
        }
    }
}
