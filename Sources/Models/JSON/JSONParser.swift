/// Reads JSON (RFC 8259), strictly: UTF-8, no duplicate keys, finite numbers, at most `limitDepth` levels deep.
///
/// Any bytes are safe. Room: control.
struct JSONParser {
    /// The parser recurses, so this bounds its stack.
    static let limitDepth = 32

    /// Why bytes are not JSON, and where.
    struct Failure: Error, Equatable {
        let reason: String
        /// 1 for the first.
        let line: Int
    }

    private let bytes: [UInt8]
    private var position = 0

    static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        guard !bytes.isEmpty else { throw parser.failure("the file is empty") }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw parser.failure("it is not UTF-8 text")
        }
        let value = try parser.value(depth: 0)
        guard parser.peek() == nil else { throw parser.failure("there is more after its end") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure {
        Failure(
            reason: reason, line: 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") })
    }

    /// The next byte that is not white space.
    private mutating func peek() -> UInt8? {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.limitDepth else {
            throw failure("it nests more than \(Self.limitDepth) levels deep")
        }
        switch peek() {
        case nil: throw failure("it ends too early")
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try list(depth: depth)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(Failure) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("a value is expected") }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        var members: [String: JSONValue] = [:]
        position += 1
        if take("}") { return .object(members) }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw failure("a key in quotation marks is expected") }
            let key = try text()
            guard take(":") else { throw failure("a colon is expected") }
            let value = try value(depth: depth + 1)
            guard members.updateValue(value, forKey: key) == nil else {
                throw failure("the key \(quoted(key)) is there twice")
            }
        } while take(",")
        guard take("}") else { throw failure("a comma or } is expected") }
        return .object(members)
    }

    private mutating func list(depth: Int) throws(Failure) -> JSONValue {
        var elements: [JSONValue] = []
        position += 1
        if take("]") { return .list(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw failure("a comma or ] is expected") }
        return .list(elements)
    }

    private mutating func number() throws(Failure) -> Double {
        let start = position
        if next() == UInt8(ascii: "-") { position += 1 }
        if next() == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if next() == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if let e = next(), e | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = next(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(digits), value.isFinite else {
            throw failure("\(quoted(digits)) is too large")
        }
        return value
    }

    private func next() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = next(), 0x30...0x39 ~= byte { position += 1 }
        guard position > start else { throw failure("a value is expected") }
    }

    private mutating func text() throws(Failure) -> String {
        var content: [UInt8] = []
        position += 1
        while let byte = next() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): content += String(try escape()).utf8
            case ..<0x20:
                position -= 1
                throw failure("a text has a line break or another control character in it")
            default: content.append(byte)
            }
        }
        throw failure("it ends inside a text")
    }

    private mutating func escape() throws(Failure) -> Character {
        guard let byte = next() else { throw failure("it ends inside a text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try unit()
            if 0xD800..<0xDC00 ~= code, bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                let low = try unit()
                guard 0xDC00..<0xE000 ~= low else { throw failure("a text has half a character in it") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw failure("a text has half a character in it")
            }
            return Character(scalar)
        default: throw failure("a text has an unknown escape in it")
        }
    }

    /// Four hex digits.
    private mutating func unit() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<(position + 4)].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        else { throw failure("\\u lacks its four hex digits") }
        position += 4
        return code
    }
}
