import Models

/// The loaded instruments and where each channel starts, as the synth wants them: indices and channels from 0.
struct ChannelPlan: Equatable {
    /// The instrument that each of the 16 channels starts with; nil is silent.
    var start: [Int?]
    /// Channels whose instrument no program change may change.
    var pinned: Set<Int>

    private static var percussion: Int { InstrumentAssignment.percussionChannel - 1 }

    /// For named instruments; `names` are the loaded ones in order.
    init(_ assignment: InstrumentAssignment, names: [String]) {
        let first = assignment.names.first.flatMap { names.firstIndex(of: $0) }
        start = Array(repeating: first, count: 16)
        start[Self.percussion] = nil
        pinned = [Self.percussion]
        for (channel, name) in assignment.pinned {
            start[channel - 1] = names.firstIndex(of: name)
            pinned.insert(channel - 1)
        }
    }

    /// For every instrument of a store: all channels start with the one of program 0, or the first.
    init(all instruments: [InstrumentManifest]) {
        let first = instruments.firstIndex { $0.programs.contains(0) } ?? instruments.indices.first
        start = Array(repeating: first, count: 16)
        start[Self.percussion] = nil
        pinned = [Self.percussion]
    }

    /// Whether nothing that happens in a piece makes the channel sound.
    func isSilent(channel: Int) -> Bool { start[channel] == nil && pinned.contains(channel) }
}
