public import NeuralSynth
internal import Realtime

/// What a `Player` can play: a closed set, so that the audio thread calls nothing through a table.
public enum Instrument: ~Copyable {
    case neural(NeuralSoundSynth)

    /// Room: audio.
    @_noLocks
    mutating func process(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        switch consume self {
        case .neural(var synth):
            synth.process(messages, left: &left, right: &right)
            self = .neural(synth)
        }
    }

    /// Room: audio.
    @_noLocks
    mutating func reset() {
        switch consume self {
        case .neural(var synth):
            synth.reset()
            self = .neural(synth)
        }
    }

    /// Before its first block: what is held in `old` goes on here, and fades there. Room: audio.
    @_noLocks
    mutating func takeOver(from old: inout Instrument) {
        switch consume self {
        case .neural(var synth):
            switch consume old {
            case .neural(var before):
                synth.takeOver(from: &before)
                old = .neural(before)
            }
            self = .neural(synth)
        }
    }

    /// Room: audio.
    @_noLocks
    func status(level: Float, position: Int) -> BlockStatus {
        switch self {
        case .neural(let synth):
            BlockStatus(
                voices: synth.voicesSounding, voicesPeak: synth.voicesPeak, level: level,
                droppedNotes: synth.droppedNotes, missedFrames: synth.missedFrames, position: position)
        }
    }
}
