/// The events of one `MTrk` chunk.
struct MIDITrackReader {
    private(set) var track = StandardMIDIFile.Track()
    /// Whether an end-of-track event was met.
    private(set) var hasEnd = false
    private(set) var cursor: ByteCursor
    private var tick = 0
    private var runningStatus: UInt8?
    private let declaredEnd: Int
    private var isPastDeclaredEnd = false

    /// - Parameters:
    ///   - cursor: at the chunk's first event.
    ///   - declaredEnd: may lie beyond the file, or inside an event; see `isAtEnd`.
    init(cursor: ByteCursor, declaredEnd: Int) {
        self.cursor = cursor
        self.declaredEnd = declaredEnd
    }

    mutating func read() throws(MusicIOError) {
        while !hasEnd, !(try isAtEnd()) { try readEvent() }
        track.endTick = tick
    }

    /// A track may lack its end-of-track event, and its declared length may be too small. The declared end is
    /// believed where the file ends or a chunk follows there; else events go on.
    private mutating func isAtEnd() throws(MusicIOError) -> Bool {
        if cursor.position >= declaredEnd, !isPastDeclaredEnd {
            if cursor.position == declaredEnd, declaredEnd == cursor.end || isChunk(at: declaredEnd) {
                return true
            }
            if cursor.position > declaredEnd, isChunk(at: declaredEnd) {
                throw cursor.error(
                    .malformed, at: declaredEnd, "a track's last event runs into the next chunk")
            }
            isPastDeclaredEnd = true
        }
        guard cursor.position == cursor.end else { return false }
        if isPastDeclaredEnd { return true }
        throw cursor.error(.truncated, "the file ends inside a track")
    }

    private func isChunk(at offset: Int) -> Bool {
        guard cursor.end - offset >= 8, let type = cursor.type(at: offset) else { return false }
        guard type != "MTrk" else { return true }
        var length = cursor
        length.position = offset + 4
        guard let count = try? length.uint32() else { return false }
        return type.allSatisfy(\.isLetter) && count <= cursor.end - offset - 8
    }

    private mutating func readEvent() throws(MusicIOError) {
        let delta = try cursor.variableLength()
        let (next, overflow) = tick.addingReportingOverflow(delta)
        guard !overflow else { throw cursor.error(.unsupported, "the piece is longer than a day") }
        tick = next

        let start = cursor.position
        let first = try cursor.byte()
        switch first {
        case 0xFF: try readMeta(at: start)
        case 0xF0, 0xF7:
            runningStatus = nil
            try skip("a system exclusive message", from: start)
        case 0x80...0xEF:
            runningStatus = first
            try readChannelEvent(status: first, data1: try dataByte())
        case 0xF1...0xFE:
            throw cursor.error(
                .malformed, at: start, "a system message (0x\(hexadecimal(first))) has no place in a file")
        default:
            guard let status = runningStatus else {
                throw cursor.error(
                    .malformed, at: start,
                    "there is a data byte (0x\(hexadecimal(first))) where an event starts")
            }
            try readChannelEvent(status: status, data1: first)
        }
    }

    private mutating func readChannelEvent(status: UInt8, data1: UInt8) throws(MusicIOError) {
        let hasOneDataByte = status >> 4 == 0xC || status >> 4 == 0xD
        let event = ChannelEvent(status: status, data1: data1, data2: hasOneDataByte ? 0 : try dataByte())
        track.events.append(.init(tick: tick, event: event))
    }

    private mutating func dataByte() throws(MusicIOError) -> UInt8 {
        let byte = try cursor.byte()
        guard byte < 0x80 else {
            throw cursor.error(
                .malformed, at: cursor.position - 1,
                "there is a status byte (0x\(hexadecimal(byte))) inside an event")
        }
        return byte
    }

    private mutating func readMeta(at start: Int) throws(MusicIOError) {
        runningStatus = nil
        let type = try cursor.byte()
        switch type {
        case 0x03:
            let text = try skip("a track name", from: start)
            if track.name == nil { track.name = Self.text(cursor.bytes[text]) }
        case 0x2F:
            _ = try skip("an end-of-track event", from: start)
            hasEnd = true
        case 0x51:
            let value = try skip("a tempo", from: start)
            guard value.count == 3 else {
                throw cursor.error(.malformed, at: start, "a tempo has \(value.count) bytes instead of 3")
            }
            let tempo = cursor.bytes[value].reduce(0) { $0 << 8 | Int($1) }
            guard tempo > 0 else { throw cursor.error(.malformed, at: start, "a tempo is zero") }
            track.tempos.append(.init(tick: tick, microsecondsPerQuarter: tempo))
        case 0x80...:
            throw cursor.error(.malformed, at: start, "there is no meta event 0x\(hexadecimal(type))")
        default:
            _ = try skip("a meta event", from: start)
        }
    }

    /// A length and as many bytes; returns where they are.
    @discardableResult
    private mutating func skip(_ what: String, from start: Int) throws(MusicIOError) -> Range<Int> {
        let count = try cursor.variableLength()
        guard count <= cursor.end - cursor.position else {
            throw cursor.error(.truncated, at: start, "the file ends inside \(what)")
        }
        defer { cursor.position += count }
        return cursor.position..<cursor.position + count
    }

    /// UTF-8 where it is, else Latin-1; at most 256 bytes of it, without control characters.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let bytes = bytes.prefix(256)
        var text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        // A cut may have split a character; four bytes less are enough to find out.
        for drop in 0...3 {
            if let utf8 = String(validating: bytes.dropLast(drop), as: UTF8.self) {
                text = utf8
                break
            }
            if bytes.count < 256 { break }
        }
        let printable = String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control })
        )
        let trimmed = printable.drop(while: \.isWhitespace)
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        return String(trimmed[...last])
    }
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count < 2 ? "0" + digits : digits
}
