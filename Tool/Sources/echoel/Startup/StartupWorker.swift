import ArgumentParser
import Foundation
import Inference

/// What `bench --startup` starts for each of its measurements: a process that has loaded nothing yet. It says what it found on a
/// line of standard output.
struct StartupWorker: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-startup", shouldDisplay: false)

    @Argument var model: String
    @Option var dim: [AxisSize] = []
    /// The folder of the cache; none for none.
    @Option var cache: String?
    @Option var task: Task

    enum Task: String, ExpressibleByArgument, Codable {
        /// Loads it and loads it again.
        case load
        /// Loads it ten times, and looks at the memory.
        case memory
        /// As many times without sharing.
        case apartMemory
        /// Runs it as it is and as the cache has it, in turns.
        case runs
    }

    struct Finding: Codable {
        var loadMs, secondLoadMs: Double?
        var origin: String?
        /// The first run of the session that was loaded first.
        var firstRunMs: Double?
        /// Of the process, more than it had before it loaded anything.
        var oneSessionMiB, tenSessionsMiB: Double?
        var plainMs, cachedMs: [Double]?
        var note: String?
    }

    func run() throws {
        let runtime = try OnnxRuntime.open()
        var finding = Finding()
        switch task {
        case .load: try load(runtime, &finding)
        case .memory, .apartMemory: try remember(runtime, &finding)
        case .runs: try takeTurns(runtime, &finding)
        }
        let line = try JSONEncoder().encode(finding)
        try FileHandle.standardOutput.write(
            contentsOf: Data(ProviderWorker.mark.utf8) + line + Data("\n".utf8))
    }

    private var dimensions: [String: Int] { Dictionary(dim.map { ($0.name, $0.size) }) { first, _ in first } }

    /// Loading alone is measured: no probe.
    private func options(_ cache: GraphCache, sharing: Bool = true) -> SessionOptions {
        SessionOptions(probe: false, cache: cache, sharesWeights: sharing)
    }

    private var graphCache: GraphCache { cache.map(GraphCache.folder) ?? .off }

    private func load(_ runtime: OnnxRuntime, _ finding: inout Finding) throws {
        let clock = ContinuousClock()
        var start = clock.now
        let first = try Session(runtime, model: model, options: options(graphCache))
        finding.loadMs = (clock.now - start).milliseconds
        finding.origin = first.origin.rawValue
        finding.note = first.cacheNote
        start = clock.now
        let second = try Session(runtime, model: model, options: options(graphCache))
        finding.secondLoadMs = (clock.now - start).milliseconds
        guard second.origin == .shared else {
            throw ToolError(.unusable, "\(model) is loaded twice: its weights lie in files of their own.")
        }
        finding.firstRunMs = try LatencyTrial(first, dimensions: dimensions).run()
    }

    private func remember(_ runtime: OnnxRuntime, _ finding: inout Finding) throws {
        guard let before = Self.proportionalMiB() else { return }
        let options = options(graphCache, sharing: task == .memory)
        var sessions: [Session] = []
        for count in 1...10 {
            let session = try Session(runtime, model: model, options: options)
            _ = try LatencyTrial(session, dimensions: dimensions).run()
            sessions.append(session)
            if count == 1 { finding.oneSessionMiB = Self.proportionalMiB().map { $0 - before } }
        }
        finding.tenSessionsMiB = Self.proportionalMiB().map { $0 - before }
        withExtendedLifetime(sessions) {}
    }

    private func takeTurns(_ runtime: OnnxRuntime, _ finding: inout Finding) throws {
        let trials = try [GraphCache.off, graphCache].map {
            try LatencyTrial(
                Session(runtime, model: model, options: options($0, sharing: false)), dimensions: dimensions)
        }
        for _ in 0..<5 { for trial in trials { _ = try trial.run() } }
        var milliseconds: [[Double]] = [[], []]
        let end = ContinuousClock.now + .seconds(4)
        repeat {
            let first = milliseconds[0].count % 2
            for index in [first, 1 - first] { milliseconds[index].append(try trials[index].run()) }
        } while milliseconds[0].count < 30 || ContinuousClock.now < end
        finding.plainMs = milliseconds[0]
        finding.cachedMs = milliseconds[1]
    }

    /// The process's memory, what it shares counted by halves, thirds and so on; nil where the system does not tell.
    private static func proportionalMiB() -> Double? {
        let text = (try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
    }
}

extension Duration {
    fileprivate var milliseconds: Double { self / .milliseconds(1) }
}
