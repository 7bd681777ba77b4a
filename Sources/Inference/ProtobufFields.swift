/// The fields of a protobuf message, with their places in the file, so that numbers in it can be changed where they are.
///
/// protobuf.dev/programming-guides/encoding.
struct ProtobufFields {
    struct Field {
        let number: Int
        /// Of a number of variable length; 0 for another kind.
        let value: UInt64
        /// Where the value is: the number's bytes, or what a message, a text or packed numbers consist of.
        let range: Range<Int>
        /// Whether it is a message, a text or packed numbers.
        let isLong: Bool
    }

    let fields: [Field]
    private let bytes: [UInt8]

    /// Nil where the bytes are no message.
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        var fields: [Field] = []
        var place = range.lowerBound
        while place < range.upperBound {
            guard let tag = Self.number(bytes, &place, range.upperBound) else { return nil }
            let start = place
            var value: UInt64 = 0
            var isLong = false
            var content = place..<place
            switch tag & 7 {
            case 0:
                guard let number = Self.number(bytes, &place, range.upperBound) else { return nil }
                value = number
                content = start..<place
            case 1: place += 8
            case 2:
                guard let count = Self.number(bytes, &place, range.upperBound),
                    count <= UInt64(range.upperBound - place)
                else { return nil }
                content = place..<place + Int(count)
                place = content.upperBound
                isLong = true
            case 5: place += 4
            default: return nil
            }
            guard place <= range.upperBound, tag >> 3 <= 1 << 29 else { return nil }
            fields.append(Field(number: Int(tag >> 3), value: value, range: content, isLong: isLong))
        }
        self.fields = fields
    }

    /// A number of variable length: seven bits a byte, the lowest first.
    private static func number(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard place < end else { return nil }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    func all(_ number: Int) -> [Field] { fields.filter { $0.number == number } }

    func text(_ field: Field) -> String { String(decoding: bytes[field.range], as: UTF8.self) }

    /// The first text of that number; empty where there is none.
    func text(_ number: Int) -> String { all(number).first.map(text) ?? "" }

    func messages(_ number: Int) -> [ProtobufFields]? {
        var messages: [ProtobufFields] = []
        for field in all(number) {
            guard field.isLong, let message = ProtobufFields(bytes, field.range) else { return nil }
            messages.append(message)
        }
        return messages
    }

    /// Numbers, one by one or packed, with their places.
    func numbers(_ number: Int) -> [(value: UInt64, range: Range<Int>)]? {
        var numbers: [(value: UInt64, range: Range<Int>)] = []
        for field in all(number) {
            guard field.isLong else {
                numbers.append((field.value, field.range))
                continue
            }
            var place = field.range.lowerBound
            while place < field.range.upperBound {
                let start = place
                guard let value = Self.number(bytes, &place, field.range.upperBound) else { return nil }
                numbers.append((value, start..<place))
            }
        }
        return numbers
    }

    /// A message or text as a field.
    static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        encoded(number << 3 | 2) + encoded(UInt64(content.count)) + content
    }

    /// A number as a field.
    static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { encoded(number << 3) + encoded(value) }

    private static func encoded(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
