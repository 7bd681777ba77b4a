/// Bytes and a place in them. No read passes `end`; every failure is an error with its offset.
struct ByteCursor {
    let bytes: [UInt8]
    let name: String
    var position = 0
    /// Where reading stops: the file's end, or a wrapper's.
    var end: Int

    init(bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
        end = bytes.count
    }

    /// The four letters at `offset`, if there are four there.
    func type(at offset: Int) -> String? {
        guard offset >= 0, end - offset >= 4 else { return nil }
        let letters = bytes[offset..<offset + 4]
        guard letters.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
        return String(decoding: letters, as: UTF8.self)
    }

    mutating func byte() throws(MusicIOError) -> UInt8 {
        guard position < end else { throw error(.truncated, "the file ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func uint16() throws(MusicIOError) -> Int { Int(try byte()) << 8 | Int(try byte()) }

    mutating func uint32() throws(MusicIOError) -> Int { (try uint16()) << 16 | (try uint16()) }

    /// A variable-length quantity: 1 to 4 bytes of 7 bits, 0…0x0FFFFFFF.
    mutating func variableLength() throws(MusicIOError) -> Int {
        let start = position
        var value = 0
        for _ in 0..<4 {
            let next = try byte()
            value = value << 7 | Int(next & 0x7F)
            if next < 0x80 { return value }
        }
        throw error(.malformed, at: start, "a variable-length number is longer than 4 bytes")
    }

    func error(_ code: MusicIOError.Code, at offset: Int? = nil, _ reason: String) -> MusicIOError {
        let remedy =
            switch code {
            case .notMIDI: "Choose a .mid file"
            case .truncated: "Copy or download it again; part of it is missing"
            default: "Export it again from the program that made it"
            }
        return MusicIOError(code, file: name, at: offset ?? position, reason, remedy: remedy)
    }
}
