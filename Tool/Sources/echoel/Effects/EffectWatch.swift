import Foundation
import Models
import Streaming

/// A model's files, looked at now and then: whether they have changed, and stopped changing.
struct EffectWatch {
    /// For a person.
    let name: String
    /// Opens what the files have become.
    let open: () throws -> EffectModel
    private let files: [String]
    private let every: TimeInterval
    private var looked = Date.distantPast
    private var loaded: [Stamp]
    /// What was seen the last time, where it was not what is loaded.
    private var seen: [Stamp]?

    private struct Stamp: Equatable {
        let changed: Date?
        let size: Int?
        let number: Int?

        init(_ path: String) {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            changed = attributes?[.modificationDate] as? Date
            size = attributes?[.size] as? Int
            number = attributes?[.systemFileNumber] as? Int
        }
    }

    /// - Parameters:
    ///   - files: all that belongs to the model.
    ///   - every: seconds between two looks.
    init(name: String, files: [String], every: TimeInterval = 0.25, open: @escaping () throws -> EffectModel)
    {
        self.name = name
        self.files = files
        self.every = every
        self.open = open
        loaded = files.map(Stamp.init)
    }

    /// Whether there is something new, once. Who writes a file is let finish: it has to look the same twice.
    mutating func hasChanged() -> Bool {
        guard -looked.timeIntervalSinceNow >= every else { return false }
        looked = Date()
        let now = files.map(Stamp.init)
        defer { seen = now }
        guard now != loaded, now == seen else { return false }
        loaded = now
        return true
    }
}

extension EffectLoader {
    /// What belongs to an effect, as far as it can be read: the model, its manifest, and those of its decoder.
    static func files(_ path: String) -> [String] {
        var models = [path]
        if let decoder = (try? ModelManifest.beside(model: path))?.decoder {
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            models.append((folder.map(String.init) + [decoder.file]).joined(separator: "/"))
        }
        return models.flatMap { [$0, ModelManifest.path(besideModel: $0)] }
    }
}
