import ArgumentParser
import Devices
import Foundation
import Inference
import Models
import MusicIO
import NeuralSynth
import Player

struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays a MIDI file with neural instruments into a sound file.",
        discussion: """
            The file's ending chooses its format: .wav or .flac, 24 bits, stereo. It appears under its name only when \
            it is complete. The result does not depend on --block, and is the same on every run.

            --instrument takes names as `echoel instruments` lists them. The first name plays every channel; \
            CHANNEL=NAME gives a channel (1 to 16) an instrument of its own. Program changes on the other channels \
            select among the instruments named. Without --instrument all installed instruments follow the program \
            changes. Channel 10, percussion, is left out unless it is given an instrument.

            Example: strings, with the trumpet on channel 2, 3 dB quieter:

              echoel render song.mid --instrument strings,2=trumpet \\
                --gain -3 --out song.flac
            """)

    @Argument(help: "The Standard MIDI File.", completion: .file(extensions: ["mid", "midi"]))
    var song: String
    @OptionGroup var players: InstrumentOptions
    @Option(
        help: ArgumentHelp("The sound file to write.", valueName: "file.wav|.flac"),
        completion: .file(extensions: ["wav", "flac"]))
    var out: String
    @Option(help: "44100, 48000 or 96000 Hz.")
    var sampleRate = 48_000
    @Option(help: "Frames per block, 1 to 65536; does not change the result.")
    var block = 512
    @OptionGroup var synth: SynthOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard [44_100, 48_000, 96_000].contains(sampleRate) else {
            throw ValidationError("--sample-rate takes 44100, 48000 or 96000, not \(sampleRate).")
        }
        guard 1...65_536 ~= block else { throw ValidationError("--block takes 1 to 65536, not \(block).") }
        let ending = out.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased()
        guard ending == "wav" || ending == "flac", out.contains(".") else {
            throw ValidationError("--out takes a file that ends in .wav or .flac, not \(out).")
        }
    }

    func run() throws {
        try StagedFiles.checkTarget(out)
        let performance = try StandardMIDIFile(contentsOf: song).performance()
        let store = try players.store.store()
        let (manifests, plan) = try players.choose(from: store)
        let runtime = try OnnxRuntime.open()
        var loader = InstrumentLoader(runtime: runtime, store: store, threads: synth.threads)
        let instruments = try manifests.map { try loader.load($0) }

        let renderer = try OfflineRenderer(
            instruments: instruments, configuration: synth.configuration(plan), blockFrames: block)

        let piece = Piece(performance, sampleRate: renderer.player.sampleRate, plan: plan)
        try piece.announce(as: song)
        let tail = instruments.map(\.releaseSeconds).max() ?? 0
        let finished = try write(piece, renderer, tailSeconds: Double(tail))
        try tell(finished, piece, renderer.player.counters)
    }

    private struct Finished {
        let summary: AudioFileWriter.Summary
        let workSeconds: Double
    }

    private func write(_ piece: Piece, _ renderer: OfflineRenderer, tailSeconds: Double) throws -> Finished {
        let rate = renderer.player.sampleRate
        let tail = Int((tailSeconds * Double(rate)).rounded(.up))
        let name = URL(fileURLWithPath: song).lastPathComponent
        return try Interruption.deferring {
            var file = try SoundFile(
                path: out, inputRate: rate, sampleRate: sampleRate, inputFrames: piece.endSample + tail)
            var progress = Progress(
                Terminal.clean(name), total: Double(piece.endSample + tail) / Double(rate))
            defer { progress.finish() }
            try renderer.render(piece.messages, endSample: piece.endSample, tailSamples: tail) {
                left, right in
                try Interruption.check()
                try file.write(left, right)
                progress.update(Double(file.inputFrames) / Double(rate))
            }
            try Interruption.check()
            let summary = try file.finish()
            return Finished(summary: summary, workSeconds: progress.elapsedSeconds)
        }
    }

    private func tell(_ finished: Finished, _ piece: Piece, _ counters: PlayerCounters) throws {
        let summary = finished.summary
        let report = Report(
            file: out, seconds: summary.seconds.rounded(decimals: 6), sampleRate: summary.sampleRate,
            notes: piece.notes, peak: Double(summary.peak),
            realTimeFactor: (summary.seconds / max(finished.workSeconds, 1e-9)).rounded(decimals: 2),
            voicesPeak: counters.voicesPeak)
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text)
        }
        if let hint = Self.hint(droppedNotes: counters.droppedNotes, voices: synth.voices) {
            Terminal.note(hint)
        }
        if summary.clippedSamples > 0 {
            let suggested = ((synth.gain - 20 * log10(Double(summary.peak)) - 0.1) * 10).rounded(.down) / 10
            Terminal.note(
                "The sound clips (\(summary.clippedSamples) samples); --gain \(suggested.formatted(decimals: 1)) does not."
            )
        }
    }

    /// What was left out for want of voices, and the remedy that there is; nil when nothing was.
    static func hint(droppedNotes: Int, voices: Int) -> String? {
        guard droppedNotes > 0 else { return nil }
        let what =
            droppedNotes == 1
            ? "1 note found no room and was left out"
            : "\(droppedNotes) notes found no room and were left out"
        return voices < SynthOptions.maximumVoices
            ? "\(what); raise --voices, which is \(voices), to \(SynthOptions.maximumVoices) at most."
            : "\(what): \(SynthOptions.maximumVoices) voices are the most there are. Render the parts one by one."
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let file: String
        let seconds: Double
        let sampleRate, notes: Int
        /// The largest magnitude of a sample before it was clipped, 1 = full scale.
        let peak: Double
        /// Seconds of sound per second of work.
        let realTimeFactor: Double
        let voicesPeak: Int

        var text: String {
            let level = peak > 0 ? "\((20 * log10(peak)).formatted(decimals: 1)) dB" : "silent"
            return
                "\(Terminal.clean(file)): \(seconds.formatted(decimals: 1)) s at \(sampleRate) Hz, \(notes) notes, "
                + "peak \(level), \(realTimeFactor.formatted(decimals: 1))× real time"
        }
    }
}
