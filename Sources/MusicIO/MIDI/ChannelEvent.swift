/// A MIDI channel message (MIDI 1.0 Detailed Specification, table I).
///
/// Data values are 7 bits, 0…127, except where said. Five bytes, no references: any room may hold one.
public struct ChannelEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Velocity 1…127.
        case noteOn(key: UInt8, velocity: UInt8)
        /// A note-on of velocity 0 in a file is read as this, with velocity 64.
        case noteOff(key: UInt8, velocity: UInt8)
        case polyPressure(key: UInt8, pressure: UInt8)
        /// Controllers 120…127 are the channel mode messages (120 all sound off, 123 all notes off, …).
        case controlChange(controller: UInt8, value: UInt8)
        case programChange(program: UInt8)
        case channelPressure(pressure: UInt8)
        /// −8192…8191, 0 = no bend.
        case pitchBend(value: Int16)
    }

    /// 0…15.
    public var channel: UInt8
    public var kind: Kind

    public init(channel: UInt8, kind: Kind) {
        self.channel = channel
        self.kind = kind
    }
}

extension ChannelEvent {
    /// The three bytes of the message; the last is nil in messages of two. Nil where a value is out of range.
    var message: (status: UInt8, data1: UInt8, data2: UInt8?)? {
        let (status, data1, data2): (UInt8, UInt8, UInt8?)
        switch kind {
        case .noteOff(let key, let velocity): (status, data1, data2) = (0x80, key, velocity)
        case .noteOn(let key, let velocity): (status, data1, data2) = (0x90, key, velocity)
        case .polyPressure(let key, let pressure): (status, data1, data2) = (0xA0, key, pressure)
        case .controlChange(let controller, let value): (status, data1, data2) = (0xB0, controller, value)
        case .programChange(let program): (status, data1, data2) = (0xC0, program, nil)
        case .channelPressure(let pressure): (status, data1, data2) = (0xD0, pressure, nil)
        case .pitchBend(let value):
            guard (-8192...8191).contains(value) else { return nil }
            let raw = UInt16(value + 8192)
            (status, data1, data2) = (0xE0, UInt8(raw & 0x7F), UInt8(raw >> 7))
        }
        guard channel < 16, data1 < 128, data2 ?? 0 < 128 else { return nil }
        return (status | channel, data1, data2)
    }

    /// - Parameters: the bytes of a channel message, status 0x80…0xEF, data 0…127.
    init(status: UInt8, data1: UInt8, data2: UInt8) {
        channel = status & 0x0F
        switch status >> 4 {
        case 0x8: kind = .noteOff(key: data1, velocity: data2)
        case 0x9 where data2 == 0: kind = .noteOff(key: data1, velocity: 64)
        case 0x9: kind = .noteOn(key: data1, velocity: data2)
        case 0xA: kind = .polyPressure(key: data1, pressure: data2)
        case 0xB: kind = .controlChange(controller: data1, value: data2)
        case 0xC: kind = .programChange(program: data1)
        case 0xD: kind = .channelPressure(pressure: data1)
        default: kind = .pitchBend(value: Int16(data1) + Int16(data2) * 128 - 8192)
        }
    }
}
