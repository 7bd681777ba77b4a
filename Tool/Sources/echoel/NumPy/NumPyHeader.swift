/// The dictionary at the start of an `.npy` file: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
///
/// It is a Python literal. Only what NumPy writes is understood; everything else is an error.
struct NumPyHeader: Equatable {
    var type: String
    var isFortranOrder: Bool
    var shape: [Int]

    /// NumPy has no array of more axes.
    static let limitAxes = 64

    /// - Throws: the reason, a clause.
    init(parsing text: [UInt8]) throws(Failure) {
        var parser = Parser(text: text)
        self = try parser.header()
    }

    struct Failure: Error {
        let reason: String
    }

    private struct Parser {
        let text: [UInt8]
        var position = 0

        mutating func header() throws(Failure) -> NumPyHeader {
            var type: String?
            var isFortranOrder: Bool?
            var shape: [Int]?
            try expect("{")
            while try !take("}") {
                let key = try string()
                try expect(":")
                switch key {
                case "descr" where type == nil:
                    guard peek() != UInt8(ascii: "[") else {
                        throw Failure(reason: "it is a structured array")
                    }
                    type = try string()
                case "fortran_order" where isFortranOrder == nil: isFortranOrder = try bool()
                case "shape" where shape == nil: shape = try tuple()
                default: throw Failure(reason: "its header has an unexpected key")
                }
                if try !take(",") {
                    try expect("}")
                    break
                }
            }
            guard peek() == nil else { throw Failure(reason: "its header goes on after the dictionary") }
            guard let type, let isFortranOrder, let shape else {
                throw Failure(reason: "its header lacks descr, fortran_order or shape")
            }
            return NumPyHeader(type: type, isFortranOrder: isFortranOrder, shape: shape)
        }

        private mutating func peek() -> UInt8? {
            while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
            return position < text.count ? text[position] : nil
        }

        private mutating func take(_ character: Character) throws(Failure) -> Bool {
            guard let next = peek() else { throw Failure(reason: "its header ends too early") }
            guard next == character.asciiValue else { return false }
            position += 1
            return true
        }

        private mutating func expect(_ character: Character) throws(Failure) {
            guard try take(character) else { throw Failure(reason: "its header lacks a “\(character)”") }
        }

        private mutating func string() throws(Failure) -> String {
            guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
                throw Failure(reason: "its header lacks a quoted text")
            }
            position += 1
            let start = position
            while position < text.count, text[position] != quote {
                guard 0x20..<0x7F ~= text[position], text[position] != UInt8(ascii: "\\") else {
                    throw Failure(reason: "its header has an unexpected character")
                }
                position += 1
            }
            guard position < text.count else { throw Failure(reason: "its header ends inside a text") }
            position += 1
            return String(decoding: text[start..<(position - 1)], as: UTF8.self)
        }

        private mutating func bool() throws(Failure) -> Bool {
            for (word, value) in [("True", true), ("False", false)] {
                if peek() != nil, text[position...].starts(with: word.utf8) {
                    position += word.utf8.count
                    return value
                }
            }
            throw Failure(reason: "its fortran_order is neither True nor False")
        }

        private mutating func tuple() throws(Failure) -> [Int] {
            var sizes: [Int] = []
            try expect("(")
            while try !take(")") {
                sizes.append(try size())
                guard sizes.count <= NumPyHeader.limitAxes else {
                    throw Failure(reason: "it has more than \(NumPyHeader.limitAxes) axes")
                }
                if try !take(",") {
                    try expect(")")
                    break
                }
            }
            return sizes
        }

        private mutating func size() throws(Failure) -> Int {
            guard let first = peek(), 0x30...0x39 ~= first else {
                throw Failure(reason: "an axis of its shape is not a size")
            }
            var value = 0
            while position < text.count, 0x30...0x39 ~= text[position] {
                let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(text[position] - 0x30))
                guard !overflow, !carry else { throw Failure(reason: "an axis of its shape is too large") }
                value = sum
                position += 1
            }
            // Python 2 wrote long integers as 3L.
            if position < text.count, text[position] == UInt8(ascii: "L") { position += 1 }
            return value
        }
    }

    private init(type: String, isFortranOrder: Bool, shape: [Int]) {
        self.type = type
        self.isFortranOrder = isFortranOrder
        self.shape = shape
    }
}
