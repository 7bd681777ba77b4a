import MusicIO

/// A file written byte by byte: what `MIDIFileWriter` would not write.
enum MIDIBytes {
    static func header(
        format: UInt8 = 1, tracks: UInt8 = 1, division: (UInt8, UInt8) = (1, 0xE0), extra: [UInt8] = []
    ) -> [UInt8] {
        Array("MThd".utf8) + [0, 0, 0, UInt8(6 + extra.count), 0, format, 0, tracks, division.0, division.1]
            + extra
    }

    static func chunk(_ body: [UInt8], type: String = "MTrk", length: Int? = nil) -> [UInt8] {
        let length = length ?? body.count
        return Array(type.utf8) + [24, 16, 8, 0].map { UInt8(length >> $0 & 0xFF) } + body
    }

    static let end: [UInt8] = [0, 0xFF, 0x2F, 0]

    /// One track with its end.
    static func song(_ events: [UInt8] = []) -> [UInt8] { header() + track(events) }

    /// The chunk of one track with its end.
    static func track(_ events: [UInt8] = [], length: Int? = nil) -> [UInt8] {
        chunk(events + end, length: length)
    }

    static func read(_ bytes: [UInt8]) throws(MusicIOError) -> StandardMIDIFile {
        try StandardMIDIFile(bytes: bytes, name: "song.mid")
    }

    static func failure(_ bytes: [UInt8]) -> MusicIOError? {
        MusicIOError.caught { () throws(MusicIOError) in _ = try read(bytes) }
    }
}

extension ChannelEvent {
    static func on(_ key: UInt8, _ velocity: UInt8 = 64, channel: UInt8 = 0) -> Self {
        Self(channel: channel, kind: .noteOn(key: key, velocity: velocity))
    }

    static func off(_ key: UInt8, _ velocity: UInt8 = 64, channel: UInt8 = 0) -> Self {
        Self(channel: channel, kind: .noteOff(key: key, velocity: velocity))
    }

    static func program(_ program: UInt8, channel: UInt8 = 0) -> Self {
        Self(channel: channel, kind: .programChange(program: program))
    }
}
