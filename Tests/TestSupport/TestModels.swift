import Foundation

/// The path of a generated model that is too large for the repository: in `ECHOEL_TEST_MODELS`, else where
/// `script/test` puts it. The test fails where it is missing.
public func testModel(_ name: String) throws -> String {
    let folder =
        ProcessInfo.processInfo.environment["ECHOEL_TEST_MODELS"] ?? "\(repositoryRoot)/.build/test-models"
    let path = "\(folder)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else {
        throw MissingTestModel(description: "No \(path). Run script/test, which generates it.")
    }
    return path
}

public struct MissingTestModel: Error, CustomStringConvertible {
    public let description: String
}

/// A folder for one test, removed with it.
public final class TemporaryFolder {
    public let path: String

    public init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "echoel-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.resolvingSymlinksInPath().path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, and the folders above it; its path.
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}
