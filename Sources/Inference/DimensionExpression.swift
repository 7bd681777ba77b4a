/// The value of a dynamic axis's name, where the name is an expression over others, as exporters write them:
/// `batch`, `8*slots`, `128*slots + 7`, `2*(a + b)`.
struct DimensionExpression {
    private var text: Substring.UTF8View
    private let valueOf: (String) -> Int

    /// - Parameter valueOf: the size of the axis with a plain name.
    /// - Returns: nil for what is no such expression, or overflows, or is negative.
    static func value(of text: String, _ valueOf: (String) -> Int) -> Int? {
        withoutActuallyEscaping(valueOf) { valueOf in
            var parser = DimensionExpression(text: Substring(text).utf8, valueOf: valueOf)
            guard let value = parser.sum(depth: 0), parser.peek() == nil, value >= 0 else { return nil }
            return value
        }
    }

    /// The next byte that is no blank.
    private mutating func peek() -> UInt8? {
        while text.first == UInt8(ascii: " ") { text.removeFirst() }
        return text.first
    }

    private mutating func sum(depth: Int) -> Int? {
        guard depth < 16, var total = product(depth: depth) else { return nil }
        while let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            text.removeFirst()
            guard let term = product(depth: depth) else { return nil }
            let (result, overflow) =
                sign == UInt8(ascii: "+")
                ? total.addingReportingOverflow(term) : total.subtractingReportingOverflow(term)
            if overflow { return nil }
            total = result
        }
        return total
    }

    private mutating func product(depth: Int) -> Int? {
        guard var total = atom(depth: depth) else { return nil }
        while peek() == UInt8(ascii: "*") {
            text.removeFirst()
            guard let factor = atom(depth: depth) else { return nil }
            let (result, overflow) = total.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            total = result
        }
        return total
    }

    private mutating func atom(depth: Int) -> Int? {
        guard let first = peek() else { return nil }
        if first == UInt8(ascii: "(") {
            text.removeFirst()
            guard let value = sum(depth: depth + 1), peek() == UInt8(ascii: ")") else { return nil }
            text.removeFirst()
            return value
        }
        let word = text.prefix { Self.isWord($0) }
        text.removeFirst(word.count)
        guard let name = String(word), !name.isEmpty else { return nil }
        if Self.isDigit(first) { return Int(name) }
        return valueOf(name)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte >= 0x80
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
