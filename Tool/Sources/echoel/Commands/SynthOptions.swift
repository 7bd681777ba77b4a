import ArgumentParser
import Foundation
import NeuralSynth

/// `--voices`, `--threads` and `--gain`, for commands that play.
struct SynthOptions: ParsableArguments {
    @Option(help: "Notes that may sound at once, 1 to 64.")
    var voices = 16
    @Option(help: "Threads of the neural network, 1 to 64.")
    var threads = 1
    @Option(parsing: .unconditional, help: ArgumentHelp("Louder or quieter, -96 to 48 dB.", valueName: "dB"))
    var gain = 0.0

    static let maximumVoices = 64

    func validate() throws {
        guard 1...Self.maximumVoices ~= voices else {
            throw ValidationError("--voices takes 1 to \(Self.maximumVoices), not \(voices).")
        }
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        guard gain.isFinite, -96...48 ~= gain else {
            throw ValidationError("--gain takes -96 to 48 dB, not \(gain).")
        }
    }

    func configuration(_ plan: ChannelPlan) -> NeuralSynthConfiguration {
        var configuration = NeuralSynthConfiguration()
        configuration.voices = voices
        configuration.channelInstruments = plan.start
        configuration.pinnedChannels = plan.pinned
        configuration.masterGain = Float(pow(10, gain / 20))
        return configuration
    }
}
