/// The file that a choice of `.auto` is remembered in. One that is damaged, or of something else, counts as none.
struct AutoMemory {
    /// All that a choice depends on.
    private let key: String
    private let path: String?

    init(_ runtime: OnnxRuntime, _ options: SessionOptions, digest: UInt64) {
        func size(_ path: String) -> String {
            if case .file(let bytes) = fileKind(path) { "\(bytes)" } else { "" }
        }
        let plugin = runtime.pluginLibrary(.webGPU) ?? ""
        let chosen = [
            "\(options.intraOpThreads)", "\(options.interOpThreads)", "\(options.graphOptimization)",
            "\(options.ownOperators)",
            "\(options.allowSpinning)", "\(options.auto.deadlineMilliseconds ?? 0)",
            "\(options.auto.leastDecibels)",
            "\(options.auto.dimensions.sorted { $0.key < $1.key })",
            "\(options.cuda.entries.sorted { $0.key < $1.key })",
            "\(options.tensorRT.entries.sorted { $0.key < $1.key })",
            "\(options.openVINO.entries(sessionThreads: 1).sorted { $0.key < $1.key })",
            "\(options.others.sorted { $0.key < $1.key })",
        ]
        key =
            ([
                "\(digest)", runtime.version, runtime.path, size(runtime.path), plugin, size(plugin),
                machineDescription(), "\(EchoelVersion.current)",
            ] + chosen).joined(separator: " | ").map { $0.isNewline ? " " : "\($0)" }.joined()
        let given = options.auto.cacheFolder
        let folder = given ?? OnnxRuntime.dataFolder().map { "\($0)/cache/providers" }
        let name = String(Array(key.utf8).fnv1a(), radix: 16)
        path = folder.map { "\($0)/\(name)" }
    }

    private static let header = "A choice of echoel's, which may be removed."
    private static let end = "end"

    func read() -> AccelerationType.Choice? {
        guard let path, let bytes = fileBytes(path, limit: 1 << 16) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 6, lines[0] == Self.header, lines[1] == key, lines[4] == Self.end,
            let acceleration = AccelerationType(rawValue: String(lines[2])), acceleration != .auto
        else { return nil }
        return .init(acceleration: acceleration, note: "\(lines[3]) (Remembered: \(path).)")
    }

    /// Where it cannot be written, the choice is made again the next time.
    func write(_ choice: AccelerationType.Choice) {
        guard let path else { return }
        makeFolders(OnnxRuntime.folder(of: path))
        let note = (choice.note ?? "").map { $0.isNewline ? " " : "\($0)" }.joined()
        _ = replaceFile(
            path,
            with: [Self.header, key, choice.acceleration.rawValue, note, Self.end, ""].joined(separator: "\n")
        )
    }
}
