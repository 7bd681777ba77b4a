import Foundation
package import OnnxProto
import SwiftProtobuf

/// A model's file, and the file of its weights where it has one of its own.
package enum ModelFile {
    /// Reads a model with all its weights.
    ///
    /// - Throws: `OptimizeError` for what is no ONNX model, or too large, or whose weights are not where it says.
    package static func read(_ path: String) throws(OptimizeError) -> (
        model: Onnx_ModelProto, hasOwnData: Bool
    ) {
        let bytes = try contents(path, limit: maximumBytes)
        var model: Onnx_ModelProto
        do {
            model = try Onnx_ModelProto(serializedBytes: bytes)
        } catch {
            throw OptimizeError("\(path) is not an ONNX model (\(error)). Export it again.")
        }
        let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent().path
        var files: [String: Data] = [:]
        var total = bytes.count
        for index in model.graph.initializer.indices
        where model.graph.initializer[index].dataLocation == .external {
            try load(&model.graph.initializer[index], folder, path, &files)
            total += model.graph.initializer[index].rawData.count
            guard total <= maximumBytes else { throw tooLarge(path) }
        }
        return (model, !files.isEmpty)
    }

    /// A model as the bytes of its files, the second with the large weights; nil where all are in the first.
    ///
    /// - Parameter dataName: the second file's name, beside the first.
    package static func bytes(
        of model: Onnx_ModelProto, dataName: String?
    ) throws -> (model: [UInt8], data: [UInt8]?) {
        guard let dataName else { return (try model.serializedBytes(), nil) }
        var model = model
        var data: [UInt8] = []
        for index in model.graph.initializer.indices
        where model.graph.initializer[index].rawData.count >= leastExternalBytes {
            // On pages of their own, so that they may be mapped.
            data += [UInt8](repeating: 0, count: (pageBytes - data.count % pageBytes) % pageBytes)
            let tensor = model.graph.initializer[index]
            model.graph.initializer[index].clearRawData()
            model.graph.initializer[index].dataLocation = .external
            model.graph.initializer[index].externalData = [
                entry("location", dataName), entry("offset", "\(data.count)"),
                entry("length", "\(tensor.rawData.count)"),
            ]
            data += tensor.rawData
        }
        return (try model.serializedBytes(), data.isEmpty ? nil : data)
    }

    /// What a protobuf message may have.
    private static let maximumBytes = 2_000_000_000
    private static let leastExternalBytes = 1024
    private static let pageBytes = 4096

    private static func entry(_ key: String, _ value: String) -> Onnx_StringStringEntryProto {
        var entry = Onnx_StringStringEntryProto()
        entry.key = key
        entry.value = value
        return entry
    }

    /// Puts a weight of another file into the model.
    private static func load(
        _ tensor: inout Onnx_TensorProto, _ folder: String, _ path: String, _ files: inout [String: Data]
    ) throws(OptimizeError) {
        let facts = Dictionary(tensor.externalData.map { ($0.key, $0.value) }) { first, _ in first }
        let location = facts["location"] ?? ""
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.isEmpty, !location.hasPrefix("/"), !parts.contains("..") else {
            throw OptimizeError(
                "\(path) has weights in \"\(location)\", which is not beside it. Put them beside it and export again."
            )
        }
        if files[location] == nil {
            files[location] = try contents("\(folder)/\(location)", limit: maximumBytes)
        }
        let data = files[location] ?? Data()
        let offset = facts["offset"].map { Int($0) ?? -1 } ?? 0
        let length = facts["length"].map { Int($0) ?? -1 } ?? data.count - max(offset, 0)
        guard 0...data.count ~= offset, length >= 0, length <= data.count - offset else {
            throw OptimizeError(
                "\(path): the weight \(tensor.name) is not whole in \(location). Restore that file beside the model."
            )
        }
        let start = data.startIndex + offset
        tensor.rawData = Data(data[start..<start + length])
        tensor.externalData = []
        tensor.clearDataLocation()
    }

    private static func contents(_ path: String, limit: Int) throws(OptimizeError) -> Data {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard attributes?[.type] as? FileAttributeType == .typeRegular else {
            throw OptimizeError("\(path) is no file that can be read. Check the path.")
        }
        guard (attributes?[.size] as? Int).map({ $0 <= limit }) ?? false else { throw tooLarge(path) }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw OptimizeError(
                "\(path) cannot be read (\(error.localizedDescription)). Check its permissions.")
        }
    }

    private static func tooLarge(_ path: String) -> OptimizeError {
        OptimizeError(
            "\(path) has more than \(maximumBytes / 1_000_000_000) GB with its weights, too many to rewrite.")
    }
}
