import ArgumentParser

/// What `bench --realtime` takes besides.
struct RealtimeOptions: ParsableArguments {
    @Flag(
        help:
            "Send sound through the model in real time, as an effect, and measure what the audio thread notices of it."
    )
    var realtime = false
    @Option(help: ArgumentHelp("With --realtime: frames per block, 1 to 8192.", valueName: "frames"))
    var block = 256
    @Option(
        help: ArgumentHelp(
            "With --realtime: samples of a run, where the model leaves them open.", valueName: "samples"))
    var hop: Int?
    @Option(
        help:
            "With --realtime: threads that run the model, 1 to 64 (1), or that render an instrument, 1 to 8 (2 where there are as many processors)."
    )
    var workers: Int?
    @Option(help: "With --realtime: sounds side by side, 1 to 64.")
    var streams = 1
    @Option(help: "With --realtime: notes of an instrument that sound at once, 1 to 64.")
    var voices = 16
    @Option(
        help: ArgumentHelp(
            "With --realtime: so many chords of all voices, each while the one before is held, instead of --seconds.",
            valueName: "count"))
    var chords: Int?
    @Option(
        help: ArgumentHelp(
            "With --realtime, of an instrument: samples that it has to compute in, on top of a block.",
            valueName: "samples"))
    var lookAhead = 128
    @Option(
        help: ArgumentHelp(
            "With --realtime: how long a run may take, in samples. Without it: the slowest of 200 runs, and a quarter more.",
            valueName: "samples"))
    var work: Int?
    @Option(
        help: ArgumentHelp("With --realtime: a picture of how long blocks took.", valueName: "file.svg"),
        completion: .file(extensions: ["svg"]))
    var histogram: String?

    static let sampleRate = 48_000

    func validate() throws {
        for (name, value, range) in [
            ("--block", block, 1...8192), ("--workers", workers ?? 1, 1...64), ("--streams", streams, 1...64),
            ("--hop", hop ?? 1, 1...65_536), ("--work", work ?? 1, 1...65_536), ("--voices", voices, 1...64),
            ("--chords", chords ?? 1, 1...100_000), ("--look-ahead", lookAhead, 0...65_536),
        ] where !range.contains(value) {
            throw ValidationError("\(name) takes \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        guard
            realtime
                || (hop == nil && work == nil && histogram == nil && chords == nil && workers == nil)
        else {
            throw ValidationError("--hop, --work, --workers, --chords and --histogram go with --realtime.")
        }
    }
}
