import Foundation
import OnnxProto
import SwiftProtobuf
import Testing

@testable import GraphOptimizer

@Suite("A model's files")
struct ModelFileTests {
    private let folder = NSTemporaryDirectory() + "echoel-optimizer-\(UUID().uuidString)"

    private func withFolder(_ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body()
    }

    private func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return "\(folder)/\(name)"
    }

    private var model: Onnx_ModelProto {
        var small = SmallModel()
        small.input("x", "batch", "64")
        small.output("y", "batch", "64")
        small.weight("w", [64, 64])
        small.weight("b", [64])
        small.node("Gemm", ["x", "w", "b"], "y")
        return small.model
    }

    @Test("large weights go to a file beside the model and come back")
    func external() throws {
        try withFolder {
            let bytes = try ModelFile.bytes(of: model, dataName: "m.onnx.data")
            let data = try #require(bytes.data)
            #expect(bytes.model.count < 2000 && data.count == 64 * 64 * 4)
            let path = try write(bytes.model, "m.onnx")
            _ = try write(data, "m.onnx.data")
            let read = try ModelFile.read(path)
            #expect(read.hasOwnData && read.model == model)
            let alone = try ModelFile.bytes(of: model, dataName: nil)
            #expect(try ModelFile.read(write(alone.model, "alone.onnx")).model == model && alone.data == nil)
        }
    }

    @Test(
        "weights that are not beside the model, or not whole, are an error that names the place",
        arguments: [
            ("location", "../m.onnx.data"), ("location", "/etc/passwd"), ("location", ""),
            ("location", "gone"),
            ("offset", "-1"), ("offset", "x"), ("offset", "99999999"), ("length", "99999999"),
            ("length", "-4"),
            ("offset", "9223372036854775807"), ("only offset", "-9223372036854775808"),
        ])
    func hostile(_ key: String, _ value: String) throws {
        try withFolder {
            var bad = model
            bad.graph.initializer[0].clearRawData()
            bad.graph.initializer[0].dataLocation = .external
            var facts = ["location": "m.onnx.data", "offset": "0", "length": "16384"]
            facts[key == "only offset" ? "offset" : key] = value
            if key == "only offset" { facts["length"] = nil }
            bad.graph.initializer[0].externalData = facts.map { fact in
                var entry = Onnx_StringStringEntryProto()
                entry.key = fact.key
                entry.value = fact.value
                return entry
            }
            let path = try write(try bad.serializedBytes(), "m.onnx")
            _ = try write([UInt8](repeating: 0, count: 16384), "m.onnx.data")
            let error = #expect(throws: OptimizeError.self) { try ModelFile.read(path) }
            #expect(error?.description.hasPrefix(folder) == true)
        }
    }

    @Test("what is no model is an error")
    func garbage() throws {
        try withFolder {
            let whole = try ModelFile.bytes(of: model, dataName: nil).model
            for bytes in [[UInt8](repeating: 0xFF, count: 100), Array(whole.prefix(whole.count / 2))] {
                let path = try write(bytes, "m.onnx")
                #expect(throws: OptimizeError.self) { try ModelFile.read(path) }
            }
            #expect(throws: OptimizeError.self) { try ModelFile.read(folder) }
            #expect(throws: OptimizeError.self) { try ModelFile.read("\(folder)/none.onnx") }
        }
    }
}
