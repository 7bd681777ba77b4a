import Foundation
import Testing

@testable import echoel

@Suite("Running a model on files")
struct RunTests {
    private static let model = Fixture.path("doubler.onnx")

    /// Files that the model takes, and the same doubled.
    private static let arrays: [String: (given: NumPyArray, doubled: NumPyArray)] = {
        func bytes<T>(_ values: [T]) -> [UInt8] { unsafe values.withUnsafeBytes { unsafe Array($0) } }
        return [
            "f": (
                NumPyArray(element: .float32, shape: [2, 3], bytes: bytes([1, 2, 3, 4, 5, -6] as [Float])),
                NumPyArray(element: .float32, shape: [2, 3], bytes: bytes([2, 4, 6, 8, 10, -12] as [Float]))
            ),
            // 1.0 and -0.5 as halves.
            "h": (
                NumPyArray(element: .float16, shape: [2], bytes: bytes([0x3C00, 0xB800] as [UInt16])),
                NumPyArray(element: .float16, shape: [2], bytes: bytes([0x4000, 0xBC00] as [UInt16]))
            ),
            "l": (
                NumPyArray(element: .int64, shape: [3], bytes: bytes([1, -2, 1 << 40] as [Int64])),
                NumPyArray(element: .int64, shape: [3], bytes: bytes([2, -4, 1 << 41] as [Int64]))
            ),
            "i": (
                NumPyArray(element: .int32, shape: [], bytes: bytes([21] as [Int32])),
                NumPyArray(element: .int32, shape: [], bytes: bytes([42] as [Int32]))
            ),
        ]
    }()

    private func inputs(_ folder: TemporaryFolder, without missing: String? = nil) throws -> [String] {
        try Self.arrays.filter { $0.key != missing }.sorted { $0.key < $1.key }.flatMap { name, arrays in
            ["--input", "\(name)=\(try folder.write("\(name).npy", arrays.given.fileBytes))"]
        }
    }

    @Test("computes every type by name")
    func types() throws {
        let folder = try TemporaryFolder()
        let outputs = ["f2", "h2", "l2", "i2"].flatMap { ["--output", "\($0)=\(folder.file("\($0).npy"))"] }
        let outcome = try Tool().run(["run", Self.model] + inputs(folder) + outputs + ["--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        for (name, arrays) in Self.arrays {
            #expect(try NumPyArray(contentsOf: folder.file("\(name)2.npy")) == arrays.doubled)
        }
        let report = try #require(try outcome.json()["outputs"] as? [[String: Any]])
        #expect(report.map { $0["type"] as? String } == ["float32", "float16", "int64", "int32"])
        #expect(report.first?["shape"] as? [Int] == [2, 3])
    }

    @Test("names a missing input with its shape, and leaves nothing")
    func missing() throws {
        let folder = try TemporaryFolder()
        let arguments = try inputs(folder, without: "f")
        let before = try folder.names
        let outcome = try Tool().run(
            ["run", Self.model] + arguments + ["--output", "f2=\(folder.file("y.npy"))"])
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("f: float32 [batch, 3]"), "\(outcome.errors)")
        #expect(try folder.names == before)
    }

    @Test("refuses what does not fit, and leaves nothing")
    func misfits() throws {
        let folder = try TemporaryFolder()
        let given = try inputs(folder)
        let wide = try folder.write(
            "wide.npy",
            NumPyArray(element: .float32, shape: [1, 4], bytes: [UInt8](repeating: 0, count: 16)).fileBytes)
        let before = try folder.names
        let output = ["--output", "f2=\(folder.file("y.npy"))"]
        let cases: [(arguments: [String], word: String)] = [
            (try inputs(folder, without: "f") + ["--input", "f=\(wide)"] + output, "[1, 4]"),
            (try inputs(folder, without: "f") + ["--input", "f=\(folder.file("l.npy"))"] + output, "int64"),
            (try inputs(folder, without: "f") + ["--input", "f=/nowhere.npy"] + output, "/nowhere.npy"),
            (
                try inputs(folder, without: "f") + ["--input", "f=\(Fixture.path("doubler.onnx"))"] + output,
                "NumPy"
            ),
            (given + ["--input", "g=\(wide)"] + output, "no input g"),
            (given, "No output"),
            (given + ["--output", "g=\(folder.file("y.npy"))"], "no output g"),
            (given + output + ["--output", "i2=\(folder.path)"], "folder"),
            (given + output + ["--output", "i2=\(folder.file("none/i.npy"))"], "Make the folder"),
            (given + output + ["--output", "i2=/dev/null"], "device"),
        ]
        for (arguments, word) in cases {
            let outcome = try Tool().run(["run", Self.model] + arguments)
            #expect(outcome.code == 1, "\(arguments)")
            #expect(outcome.errors.contains(word), "\(outcome.errors)")
            #expect(try folder.names == before, "\(arguments)")
        }
    }

    @Test("keeps a link a link, and an old file until the new one is complete")
    func links() throws {
        let folder = try TemporaryFolder()
        let old = try folder.write("real.npy", [1, 2, 3])
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.npy"), withDestinationPath: "real.npy")
        let arguments = try inputs(folder)
        let output = "i2=\(folder.file("link.npy"))"
        let failed = try Tool().run(
            ["run", Self.model] + arguments + [
                "--output", output, "--output", "f2=\(folder.file("no/f.npy"))",
            ])
        #expect(failed.code == 1)
        #expect(try Fixture.bytes(old) == [1, 2, 3])
        let outcome = try Tool().run(["run", Self.model] + arguments + ["--output", output])
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(try NumPyArray(contentsOf: old) == Self.arrays["i"]?.doubled)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link.npy")) == "real.npy")
    }
}
