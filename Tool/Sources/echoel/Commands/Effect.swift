import ArgumentParser
import Devices
import Inference
import Models
import Streaming

struct Effect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sends sound through a model: live through JACK, or a file.",
        discussion: """
            The model is an .onnx file with a manifest beside it that says how sound goes through it: its kind is effect. \
            Where the sound has another rate than the model, it is resampled before and after. A model of one channel is \
            run for every channel by itself.

            With a file, --out is the file to write: as long as the first and in time with it, the same on every run. \
            Without one, what comes in at echoel:in_1 and so on goes to the machine's first outputs, a fixed number of \
            samples later, until Ctrl-C. What the model does not deliver in time is concealed and counted.

            Example: a recording through a model:

              echoel effect warm.onnx voice.wav --out warm-voice.wav

            Example: a microphone through it, with a longer time for each run:

              echoel effect warm.onnx --channels 1 --work 2048
            """)

    @Argument(help: "The model, an .onnx file.", completion: .file(extensions: ["onnx"]))
    var model: String
    @Argument(
        help: "A sound file in place of what comes in live.", completion: .file(extensions: ["wav", "flac"]))
    var file: String?
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The sound file to write.", valueName: "file.wav|.flac"),
        completion: .file(extensions: ["wav", "flac"]))
    var out: String?
    @Option(
        help: ArgumentHelp(
            "Samples of a run, 1 to 65536, where the model leaves them open.", valueName: "samples"))
    var hop: Int?
    @Option(help: "Threads of a run, 1 to 64.")
    var threads = 1
    @OptionGroup var acceleration: AccelerationOptions
    @OptionGroup var live: LiveEffectOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard 1...65_536 ~= hop ?? 1 else {
            throw ValidationError("--hop takes 1 to 65536, not \(hop ?? 0).")
        }
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        guard (file == nil) == (out == nil) else {
            throw ValidationError(
                file == nil
                    ? "--out goes with a sound file to read."
                    : "Missing expected argument '--out <file.wav|.flac>'")
        }
        if let out {
            let ending = out.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased()
            guard ending == "wav" || ending == "flac", out.contains(".") else {
                throw ValidationError("--out takes a file that ends in .wav or .flac, not \(out).")
            }
        }
        if file != nil, let option = live.given {
            throw ValidationError("\(option) is for live sound, and \(file ?? "") is a file.")
        }
    }

    func run() throws {
        if let out { try StagedFiles.checkTarget(out) }
        let runtime = try OnnxRuntime.open()
        let options = acceleration.sessionOptions(threads: threads)
        // Before the model is read: what changes meanwhile is seen.
        let watch = EffectWatch(name: model, files: EffectLoader.files(model)) { [model, hop] in
            try EffectLoader.model(runtime, model, hop: hop, options)
        }
        let effect = try watch.open()
        if let file, let out {
            let finished = try EffectFile(model: effect, input: file, output: out).run()
            return try tell(finished, finished.text)
        }
        let channels = try channels(of: effect)
        let device = try EffectPerformance.open(channels: channels)
        var playing = EffectPerformance(
            model: effect, channels: channels, workSamples: live.work, workers: live.workers ?? 1,
            concealment: live.concealment ?? .dry, isConnected: !live.noConnect, endSeconds: live.seconds,
            watch: live.watch ? watch : nil)
        let summary = try playing.run(on: device)
        try tell(summary, summary.text)
    }

    /// Of the device: the model's, or for a model of one channel two.
    private func channels(of effect: EffectModel) throws(ToolError) -> Int {
        let own = effect.description.channels
        guard let wanted = live.channels else { return own == 1 ? 2 : own }
        guard own == 1 || wanted == own else {
            throw ToolError(
                .unusable, "\(model) has \(own) channels, not \(wanted). Leave --channels out.")
        }
        return wanted
    }

    private func tell(_ report: some Encodable, _ text: String) throws {
        if self.report.json { try Terminal.result(json: report) } else { try Terminal.result(text) }
    }
}
