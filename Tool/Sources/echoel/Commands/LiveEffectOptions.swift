import ArgumentParser
import Streaming

/// What `effect` takes for live sound.
struct LiveEffectOptions: ParsableArguments {
    @Option(
        help: "Live: inputs and outputs, 1 to 16. Without it: the model's, or 2 for a model of one channel.")
    var channels: Int?
    @Option(
        help: ArgumentHelp(
            "Live: how long a run may take, in samples, 1 to 65536; the look-ahead is made for it. Without it: the slowest of 200 runs, and a quarter more.",
            valueName: "samples"))
    var work: Int?
    @Option(help: "Live: threads that run the model side by side, 1 to 64.")
    var workers: Int?
    @Option(
        help: ArgumentHelp(
            "Live: what is heard in place of what is late: dry or silence.", valueName: "name"),
        completion: .list(EffectConfiguration.Policy.allCases.map(\.rawValue)), transform: Self.named)
    var concealment: EffectConfiguration.Policy?
    @Option(help: ArgumentHelp("Live: end after so long, more than 0.", valueName: "seconds"))
    var seconds: Double?
    @Flag(help: "Live: connect nothing.")
    var noConnect = false
    @Flag(
        help:
            "Live: when the model's files change, play the new model in place of the old one, without a gap.")
    var watch = false

    @Sendable private static func named(_ name: String) throws -> EffectConfiguration.Policy {
        guard let policy = EffectConfiguration.Policy(rawValue: name) else {
            throw ValidationError("it takes dry or silence, not \(name).")
        }
        return policy
    }

    func validate() throws {
        for (name, value, range) in [
            ("--channels", channels ?? 1, 1...16), ("--work", work ?? 1, 1...65_536),
            ("--workers", workers ?? 1, 1...64),
        ] where !range.contains(value) {
            throw ValidationError("\(name) takes \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        if let seconds, !(seconds > 0 && seconds <= 1e6) {
            throw ValidationError("--seconds takes more than 0 and at most a million, not \(seconds).")
        }
    }

    /// The first option that was given.
    var given: String? {
        [
            ("--channels", channels != nil), ("--work", work != nil), ("--workers", workers != nil),
            ("--concealment", concealment != nil), ("--seconds", seconds != nil), ("--no-connect", noConnect),
            ("--watch", watch),
        ].first { $0.1 }?.0
    }
}
