import ArgumentParser
import Devices
import Inference
import Models
import MusicIO
import NeuralSynth
import Player

struct Play: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plays neural instruments live, through JACK.",
        discussion: """
            Without a song it plays what comes in by MIDI, until Ctrl-C: connect a keyboard to echoel:midi_in. With one, \
            it plays the song, and what comes in besides, and ends. Sound goes to the machine's first two outputs \
            unless --no-connect is given.

            A message sounds a fixed number of samples after it came in, which is said at the start. --look-ahead gives \
            the neural network more of them, on a machine that is not quick enough otherwise.

            Without a sound card, a server to try it with:

              jackd -r -d dummy -r 48000 -p 128

            Example: strings by keyboard, and the trumpet on channel 2:

              echoel play --instrument strings,2=trumpet
            """)

    @Argument(help: "A Standard MIDI File.", completion: .file(extensions: ["mid", "midi"]))
    var song: String?
    @OptionGroup var players: InstrumentOptions
    @OptionGroup var synth: SynthOptions
    @Option(help: ArgumentHelp("For the neural network, 0 to 65536.", valueName: "samples"))
    var lookAhead = 128
    @Option(help: "Threads that render, 1 to 8.")
    var workers = LiveConfiguration.defaultWorkers
    @Option(help: ArgumentHelp("End after so long, more than 0.", valueName: "seconds"))
    var seconds: Double?
    @Flag(help: "Connect nothing.")
    var noConnect = false
    @OptionGroup var report: ReportOptions

    /// Of a run of the decoder: as short as it takes.
    static let sliceSamples = 128

    func validate() throws {
        guard 0...65_536 ~= lookAhead else {
            throw ValidationError("--look-ahead takes 0 to 65536 samples, not \(lookAhead).")
        }
        guard 1...8 ~= workers else {
            throw ValidationError("--workers takes 1 to 8, not \(workers).")
        }
        if let seconds, !(seconds > 0 && seconds <= 1e6) {
            throw ValidationError("--seconds takes more than 0 and at most a million, not \(seconds).")
        }
    }

    func run() throws {
        let performance = try song.map { try StandardMIDIFile(contentsOf: $0).performance() }
        let store = try players.store.store()
        let (manifests, plan) = try players.choose(from: store)
        let device = try JackDevice(name: "echoel")
        let runtime = try OnnxRuntime.open()
        var loader = InstrumentLoader(runtime: runtime, store: store, threads: synth.threads)
        let instruments = try manifests.map { try loader.load($0) }

        var configuration = synth.configuration(plan)
        configuration.sliceSamples = Self.sliceSamples
        let piece = performance.map { Piece($0, sampleRate: device.sampleRate, plan: plan) }
        if let piece, let song { try piece.announce(as: song) }
        var playing = LivePerformance(
            instruments: instruments, configuration: configuration, lookAheadSamples: lookAhead,
            workers: workers, piece: piece,
            songRate: device.sampleRate, isConnected: !noConnect, endSeconds: seconds)
        let summary = try playing.run(on: device)
        if report.json {
            try Terminal.result(json: summary)
        } else {
            try Terminal.result(summary.text)
        }
    }
}
