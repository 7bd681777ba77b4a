import ArgumentParser
import Foundation
import Inference
import Models
import MusicIO
import Streaming

struct Resynthesize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes recordings of notes through an instrument's encoder and decoder.",
        discussion: """
            What comes out is what the instrument's models can hold of a sound, whatever its prior makes of a note: \
            one .wav file for each recording, mono, 32-bit float, at the models' rate, in time with the recording and \
            as long. Nothing is done to the level.

            A recording is one note from its onset on, of a pitch that is known: --key is its MIDI key, which may lie \
            between two keys, --hertz the frequency of its first partial. Give one for all recordings, or one for \
            each, in their order. --out is a folder, or for a single recording a .wav file.

            --list takes the notes from a JSON file: [{"file": "a.wav", "key": 60.12, "out": "b.wav"}, …], with \
            "hertz" in place of "key" where that is known. A relative "file" starts from the list's folder, a relative \
            "out" from --out, or without it from the list's folder; a note without "out" goes to the folder --out under \
            its own name.

            Example: a note an eighth of a semitone above middle C:

              echoel resynthesize note.wav --instrument trumpet --key 60.12 \\
                --out again.wav
            """)

    @Argument(help: "Recordings, each of one note.", completion: .file(extensions: ["wav", "flac"]))
    var recordings: [String] = []
    @Option(
        help: ArgumentHelp("The instrument, which must have an encoder.", valueName: "name"),
        completion: .custom { _, _, _ in
            let store = try? ModelStore.locate(in: ModelStore.candidates())
            return (try? store?.listing())?.instruments.map(\.name) ?? []
        })
    var instrument: String
    @Option(help: ArgumentHelp("A note's MIDI key, 0 to 127, such as 60.12; repeatable.", valueName: "key"))
    var key: [Double] = []
    @Option(help: ArgumentHelp("In place of --key, the note's frequency in Hz; repeatable.", valueName: "Hz"))
    var hertz: [Double] = []
    @Option(
        help: ArgumentHelp("In place of recordings, a JSON file that lists notes.", valueName: "notes.json"),
        completion: .file(extensions: ["json"]))
    var list: String?
    @Option(
        help: ArgumentHelp("The folder or the .wav file to write to.", valueName: "folder|file.wav"),
        completion: .directory)
    var out: String?
    @Option(help: "Threads of the neural network, 1 to 64.")
    var threads = 1
    @OptionGroup var store: StoreOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        guard recordings.isEmpty == (list != nil) else {
            throw ValidationError("Give recordings, or the file that lists them with --list.")
        }
        if let out, ["flac", "aif", "aiff"].contains((out as NSString).pathExtension.lowercased()) {
            throw ValidationError("--out takes a folder or a file that ends in .wav, not \(out).")
        }
        if list == nil {
            try validateRecordings()
        } else {
            guard key.isEmpty, hertz.isEmpty else {
                throw ValidationError("With --list the keys and frequencies are those in the list.")
            }
            guard out.map(NoteJob.isWave) != true else {
                throw ValidationError("With --list, --out takes a folder.")
            }
        }
    }

    private func validateRecordings() throws {
        guard key.isEmpty != hertz.isEmpty else {
            throw ValidationError("Give either --key or --hertz, for all recordings or for each.")
        }
        let count = key.count + hertz.count
        guard count == 1 || count == recordings.count else {
            let (what, wanted) = (key.isEmpty ? "frequencies" : "keys", recordings.count)
            throw ValidationError("\(count) \(what) do not fit \(wanted) recordings. Give one, or \(wanted).")
        }
        if let wrong = key.first(where: { !NoteJob.keyRange.contains($0) }) {
            throw ValidationError("--key takes a MIDI key, 0 to 127, not \(wrong).")
        }
        if let wrong = hertz.first(where: { !NoteJob.hertzRange.contains($0) }) {
            throw ValidationError("--hertz takes 1 to 24000 Hz, not \(wrong).")
        }
        guard let out else { throw ValidationError("Missing expected argument '--out <folder|file.wav>'") }
        guard recordings.count == 1 || !NoteJob.isWave(out) else {
            throw ValidationError("For several recordings --out takes a folder, not \(out).")
        }
    }

    func run() throws {
        let jobs = try jobs()
        try NoteJob.check(jobs)
        for job in jobs { try StagedFiles.checkTarget(job.out) }
        let seconds = try jobs.reduce(0) { $0 + (try Recording.seconds(of: $1.recording)) }
        let store = try store.store()
        var loader = InstrumentLoader(runtime: try OnnxRuntime.open(), store: store, threads: threads)
        let (resynthesizer, latents) = try loader.resynthesizer(of: try store.instrument(named: instrument))
        try makeFolder()
        let (notes, workSeconds) = try write(jobs, resynthesizer, latents, seconds: seconds)
        let report = Report(
            instrument: instrument, sampleRate: resynthesizer.sampleRate, notes: notes,
            workSeconds: workSeconds)
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text)
        }
    }

    private func jobs() throws -> [NoteJob] {
        if let list { return try NoteList.jobs(path: list, folder: out) }
        guard let out else { return [] }
        let frequencies = key.map(NoteJob.hertz(key:)) + hertz
        return recordings.enumerated().map { index, recording in
            NoteJob(
                recording: recording, hertz: frequencies.count == 1 ? frequencies[0] : frequencies[index],
                out: NoteJob.isWave(out) ? out : NoteJob.out(of: recording, in: out))
        }
    }

    private func makeFolder() throws(ToolError) {
        guard let out, !NoteJob.isWave(out) else { return }
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        } catch {
            throw ToolError(
                .unwritable, "\(out): the folder cannot be made. Choose another, or check its permissions.")
        }
    }

    /// As many notes at once as the resynthesizer takes; each file appears when it is complete.
    private func write(
        _ jobs: [NoteJob], _ resynthesizer: Resynthesizer, _ latents: NoteLatents?, seconds: Double
    ) throws -> (notes: [Report.Note], workSeconds: Double) {
        let rate = resynthesizer.sampleRate
        return try Interruption.deferring {
            var progress = Progress(instrument, total: seconds)
            defer { progress.finish() }
            var notes: [Report.Note] = []
            var done = 0
            for first in stride(from: 0, to: jobs.count, by: resynthesizer.maximumNotes) {
                let batch = jobs[first..<min(first + resynthesizer.maximumNotes, jobs.count)]
                let recorded = try batch.map { job in
                    try Interruption.check()
                    return Resynthesizer.Note(
                        audio: try Recording.read(job.recording, sampleRate: rate), hertz: Float(job.hertz),
                        latent: try latents?.latent(hertz: job.hertz) ?? [])
                }
                let sounds = try resynthesizer.resynthesize(recorded) { samples in
                    try Interruption.check()
                    progress.update(Double(done + samples) / Double(rate))
                }
                for (job, sound) in zip(batch, sounds) {
                    try Interruption.check()
                    notes.append(try Self.write(sound, job, sampleRate: rate))
                    done += sound.count
                }
            }
            return (notes, progress.elapsedSeconds)
        }
    }

    private static func write(_ sound: [Float], _ job: NoteJob, sampleRate: Int) throws -> Report.Note {
        var writer = try AudioFileWriter(
            path: job.out, sampleRate: sampleRate, channels: 1, bitDepth: .float32,
            expectedFrames: sound.count)
        try writer.write(sound.span)
        let summary = try writer.finish()
        return Report.Note(
            file: job.out, recording: job.recording, hertz: job.hertz,
            seconds: summary.seconds.rounded(decimals: 6), peak: Double(summary.peak))
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        struct Note: Encodable {
            let file, recording: String
            let hertz, seconds: Double
            /// The largest magnitude of a sample, 1 = full scale.
            let peak: Double
        }

        let instrument: String
        let sampleRate: Int
        /// In the order in which they were given.
        let notes: [Note]
        let seconds: Double
        /// Seconds of sound per second of work.
        let realTimeFactor: Double

        init(instrument: String, sampleRate: Int, notes: [Note], workSeconds: Double) {
            self.instrument = instrument
            self.sampleRate = sampleRate
            self.notes = notes
            seconds = notes.reduce(0) { $0 + $1.seconds }.rounded(decimals: 6)
            realTimeFactor = (seconds / max(workSeconds, 1e-9)).rounded(decimals: 2)
        }

        var text: String {
            let what = notes.count == 1 ? Terminal.clean(notes[0].file) : "\(notes.count) notes"
            return
                "\(what): \(seconds.formatted(decimals: 1)) s at \(sampleRate) Hz, "
                + "\(realTimeFactor.formatted(decimals: 1))× real time"
        }
    }
}
