import Foundation
import TestSupport
import Testing

@testable import Models

@Suite("JSON")
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test("reads every kind of value")
    func values() throws {
        #expect(try parse(" null ") == .null)
        #expect(try parse("[true, false]") == .list([.bool(true), .bool(false)]))
        #expect(try parse("-0.5e+2") == .number(-50))
        #expect(try parse("0") == .number(0))
        #expect(try parse("{\"a\": {}, \"b\": []}") == .object(["a": .object([:]), "b": .list([])]))
        #expect(
            try parse(#""é \u00e9 \ud83c\udfba \" \\ \/ \b\f\n\r\t""#)
                == .text("é é 🎺 \" \\ / \u{8}\u{C}\n\r\t"))
    }

    @Test("says in which line it goes wrong")
    func lines() {
        #expect(throws: JSONParser.Failure(reason: "a comma or } is expected", line: 3)) {
            try JSONParser.parse(Array("{\n\"a\": 1\n\"b\": 2}".utf8))
        }
        #expect(throws: JSONParser.Failure(reason: "the key “a” is there twice", line: 2)) {
            try JSONParser.parse(Array("{\"a\": 1,\n\"a\": 2}".utf8))
        }
    }

    @Test(
        "refuses what RFC 8259 does",
        arguments: [
            "01", "+1", ".5", "1.", "1e", "- 1", "0x10", "nul", "True", "[1,]", "{,}", "{\"a\"}",
            "{\"a\":1 \"b\":2}", "[1 2]",
            "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
            "\"tab\there\"", "1 2", "]",
            "\u{FEFF}1", "// no\n1", "'a'",
        ])
    func refused(_ text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test("agrees with Foundation on what Foundation writes")
    func agrees() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        func value(_ depth: Int) -> JSONValue {
            switch Int.random(in: 0..<(depth > 4 ? 4 : 6), using: &generator) {
            case 0: return .null
            case 1: return .bool(.random(using: &generator))
            case 2:
                return .number(
                    Double.random(in: -1...1, using: &generator)
                        * pow(10, .random(in: -9...9, using: &generator)))
            case 3:
                let scalars = (0..<5).compactMap { _ in
                    Unicode.Scalar(UInt32.random(in: 1...0x2FFFF, using: &generator))
                }
                return .text(String(String.UnicodeScalarView(scalars)))
            case 4: return .list((0..<3).map { _ in value(depth + 1) })
            default:
                return .object(
                    Dictionary(uniqueKeysWithValues: (0..<3).map { ("k\($0)", value(depth + 1)) }))
            }
        }
        for _ in 0..<200 {
            let value = JSONValue.list([value(0)])
            let bytes = Array(try JSONEncoder().encode(value))
            #expect(try JSONParser.parse(bytes) == value, "seed \(seed)")
        }
    }
}
