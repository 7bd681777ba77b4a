import Foundation
import Testing

@testable import echoel

@Suite("NumPy files")
struct NumPyTests {
    private func array(_ name: String) throws -> NumPyArray {
        try NumPyArray(contentsOf: Fixture.path("Arrays/\(name).npy"))
    }

    private func floats(_ array: NumPyArray) -> [Float] {
        stride(from: 0, to: array.bytes.count, by: 4).map { start in
            Float(bitPattern: array.bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        }
    }

    @Test("of the types that models run on are read as NumPy wrote them")
    func types() throws {
        let float32 = try array("float32")
        #expect(float32.element == .float32)
        #expect(float32.shape == [2, 3])
        #expect(floats(float32) == [-1, -0.5, 0, 0.5, 1, 1.5])
        let float16 = try array("float16")
        #expect(float16.element == .float16)
        #expect(Array(float16.bytes.prefix(4)) == [0x00, 0xBC, 0x00, 0xB8])
        let int64 = try array("int64")
        #expect(int64.element == .int64)
        #expect(int64.shape == [3])
        #expect(
            Array(int64.bytes.prefix(8))
                == (0..<8).map { UInt8(truncatingIfNeeded: Int64(-1_000_000_000_000) >> (8 * $0)) })
        let int32 = try array("int32")
        #expect(int32.element == .int32)
        #expect(int32.shape == [])
        #expect(int32.bytes == [0xF9, 0xFF, 0xFF, 0xFF])
    }

    @Test("of every format version are read")
    func versions() throws {
        for name in ["version2", "version3"] { #expect(floats(try array(name)) == [0, 1, 2, 3]) }
    }

    @Test("in Fortran order become C order")
    func fortran() throws {
        let array = try array("fortran")
        #expect(array.shape == [2, 3, 4])
        #expect(floats(array) == (0..<24).map(Float.init))
    }

    @Test("may be empty")
    func empty() throws {
        let array = try array("empty")
        #expect(array.shape == [0, 3])
        #expect(array.bytes.isEmpty)
    }

    @Test(
        "are written byte for byte as NumPy writes them",
        arguments: ["float32", "float16", "int64", "int32", "empty"])
    func written(_ name: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("Arrays/\(name).npy")))
        #expect(try array(name).fileBytes == Array(bytes))
    }

    @Test("of other types are refused with the remedy", arguments: ["float64", "big_endian"])
    func otherTypes(_ name: String) {
        let error = #expect(throws: ToolError.self) { try array(name) }
        #expect(error?.code == .unsupportedArray)
        #expect(error?.description.contains("astype('float32')") == true)
    }

    @Test("of structures are refused")
    func structured() {
        let error = #expect(throws: ToolError.self) { try array("structured") }
        #expect(error?.description.contains("structured") == true)
    }

    // MARK: Hostile bytes

    private func file(_ header: String, data: Int = 0, version: UInt8 = 1) -> [UInt8] {
        let text = Array(header.utf8)
        let length: [UInt8] =
            version == 1
            ? [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
            : (0..<4).map { UInt8(text.count >> (8 * $0) & 0xFF) }
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text
            + [UInt8](repeating: 0, count: data)
    }

    @Test("with a header that is not NumPy's are refused")
    func headers() throws {
        func header(_ shape: String, type: String = "'<f4'", order: String = "False") -> String {
            "{'descr': \(type), 'fortran_order': \(order), 'shape': \(shape), }\n"
        }
        // The same construction with nothing wrong is read.
        #expect(try NumPyArray(bytes: file(header("(1,)"), data: 4), name: "x").shape == [1])
        #expect(try NumPyArray(bytes: file(header("(1L, 2L)"), data: 8), name: "x").shape == [1, 2])
        let wrong = [
            "", "{", "{}", "{'descr': '<f4'}", header("(1"), header("1"), header("(-1,)"), header("(1.5,)"),
            header("(,)"),
            header("(99999999999999999999,)"), header("(4611686018427387904, 4)"),
            header("(2147483648, 2147483648)"),
            header("(1000000000,)"), header("(1,)", order: "Maybe"), header("(1,)", type: "'<f4"),
            header("(1,)", type: "'\u{1B}[31m'"), header("(1,)", type: "None"), header("(1,)") + "more",
            header("(" + String(repeating: "1,", count: 65) + ")"), header("(0, 99999999999999999999)"),
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'mood': 'calm'}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
        ]
        for text in wrong {
            let error = #expect(throws: ToolError.self, "\(text)") {
                try NumPyArray(bytes: file(text, data: 4), name: "x.npy")
            }
            #expect(error?.description.hasPrefix("x.npy: ") == true)
            #expect(error?.description.contains("\u{1B}") == false)
        }
    }

    @Test("of the wrong length, version or magic are refused")
    func lengths() throws {
        let right = try array("float32").fileBytes
        for count in 0..<right.count {
            #expect(throws: ToolError.self) { try NumPyArray(bytes: Array(right[..<count]), name: "x") }
        }
        #expect(throws: ToolError.self) { try NumPyArray(bytes: right + [0], name: "x") }
        for (index, value) in [(0, UInt8(0x92)), (5, 0x5A), (6, 0), (6, 4), (8, 255), (9, 255)] {
            var bytes = right
            bytes[index] = value
            #expect(throws: ToolError.self) { try NumPyArray(bytes: bytes, name: "x") }
        }
        var long = file("{}", version: 2)
        long.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: ToolError.self) { try NumPyArray(bytes: long, name: "x") }
    }

    @Test("changed at random are read or refused, and nothing else")
    func mutated() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let right = try array("fortran").fileBytes
        var refusals = 0
        for _ in 0..<5000 {
            var bytes = right
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<128, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            do { _ = try NumPyArray(bytes: bytes, name: "x") } catch { refusals += 1 }
        }
        #expect(refusals > 1000, "seed \(seed)")
    }
}
