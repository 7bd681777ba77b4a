import Foundation
import Inference

/// Measures how a model is loaded: in a process of its own each time, with and without a cache in turns.
struct StartupBench {
    let model: String
    /// Sizes of dynamic axes.
    let dimensions: [String: Int]
    /// `echoel`; nil for this program.
    var program: String?

    private static let rounds = 7

    /// - Throws: `unusable` where the model cannot be loaded or loads are not shared, `Interrupted`.
    func run() throws -> Report {
        let cache = "\(NSTemporaryDirectory())/echoel-startup-\(UInt32.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: cache) }
        return try Interruption.deferring {
            let filling = try find(.load, cache)
            if let note = filling.note { throw ToolError(.unusable, note) }
            var plain: [StartupWorker.Finding] = []
            var cached: [StartupWorker.Finding] = []
            for _ in 0..<Self.rounds {
                plain.append(try find(.load, nil))
                cached.append(try find(.load, cache))
            }
            let isCached = cached.allSatisfy { $0.origin == Session.Origin.cache.rawValue }
            let runs = try find(.runs, cache)
            let memory = try find(.memory, nil)
            let apart = try find(.apartMemory, nil)
            func median(_ values: [Double?]) -> Double? {
                let sorted = values.compactMap(\.self).sorted()
                return sorted.isEmpty ? nil : sorted[sorted.count / 2].rounded(decimals: 3)
            }
            return Report(
                firstLoadMs: median(plain.map(\.loadMs)), secondLoadMs: median(plain.map(\.secondLoadMs)),
                cacheFillMs: median([filling.loadMs]),
                cachedLoadMs: isCached ? median(cached.map(\.loadMs)) : nil,
                firstRunMs: median(plain.map(\.firstRunMs)),
                cachedFirstRunMs: isCached ? median(cached.map(\.firstRunMs)) : nil,
                p50Ms: median(runs.plainMs ?? []),
                cachedP50Ms: isCached ? median(runs.cachedMs ?? []) : nil,
                oneSessionMiB: median([memory.oneSessionMiB]),
                tenSessionsMiB: median([memory.tenSessionsMiB]),
                tenApartMiB: median([apart.tenSessionsMiB]))
        }
    }

    private func find(_ task: StartupWorker.Task, _ cache: String?) throws -> StartupWorker.Finding {
        var arguments = [model, "--task", task.rawValue]
        for (name, size) in dimensions.sorted(by: { $0.key < $1.key }) {
            arguments += ["--dim", "\(name)=\(size)"]
        }
        if let cache { arguments += ["--cache", cache] }
        do {
            return try ProviderProcess(
                command: "bench-startup", arguments, runtime: nil, program: program
            ).answer(StartupWorker.Finding.self, within: 300)
        } catch let silence as ProviderProcess.Silence {
            throw ToolError(.unusable, "\(model) could not be measured: \(silence.reason)")
        }
    }

    /// Medians. Others rely on these keys, which are always there; more may be added.
    struct Report: Encodable {
        /// In a process that has loaded nothing, without a cache and without the probe.
        let firstLoadMs: Double?
        /// Of the same model in the same process.
        let secondLoadMs: Double?
        /// The first load ever, which fills the cache.
        let cacheFillMs: Double?
        /// In a process that has loaded nothing, from the cache; nil where the cache does not take the model.
        let cachedLoadMs: Double?
        let firstRunMs, cachedFirstRunMs: Double?
        /// Of runs in turns.
        let p50Ms, cachedP50Ms: Double?
        /// What sessions add to the process, proportional where it shares; nil where the system does not tell.
        let oneSessionMiB, tenSessionsMiB: Double?
        /// Without sharing.
        let tenApartMiB: Double?

        private enum Key: String, CodingKey, CaseIterable {
            case firstLoadMs, secondLoadMs, cacheFillMs, cachedLoadMs, firstRunMs, cachedFirstRunMs, p50Ms
            case cachedP50Ms, oneSessionMiB, tenSessionsMiB, tenApartMiB
        }

        private func value(_ key: Key) -> Double? {
            switch key {
            case .firstLoadMs: firstLoadMs
            case .secondLoadMs: secondLoadMs
            case .cacheFillMs: cacheFillMs
            case .cachedLoadMs: cachedLoadMs
            case .firstRunMs: firstRunMs
            case .cachedFirstRunMs: cachedFirstRunMs
            case .p50Ms: p50Ms
            case .cachedP50Ms: cachedP50Ms
            case .oneSessionMiB: oneSessionMiB
            case .tenSessionsMiB: tenSessionsMiB
            case .tenApartMiB: tenApartMiB
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for key in Key.allCases { try container.encode(value(key), forKey: key) }
        }

        func text(model: String) -> String {
            var table = Table([.left, .right, .left])
            table.add("model", model, "")
            let rows: [(String, Key, String)] = [
                ("first load", .firstLoadMs, "ms"), ("second load, same process", .secondLoadMs, "ms"),
                ("load from the cache, new process", .cachedLoadMs, "ms"),
                ("load that fills the cache", .cacheFillMs, "ms"),
                ("first run", .firstRunMs, "ms"), ("first run, from the cache", .cachedFirstRunMs, "ms"),
                ("run, p50", .p50Ms, "ms"), ("run, p50, from the cache", .cachedP50Ms, "ms"),
                ("memory of one session", .oneSessionMiB, "MiB"),
                ("memory of ten", .tenSessionsMiB, "MiB"),
                ("memory of ten that share nothing", .tenApartMiB, "MiB"),
            ]
            for (name, key, unit) in rows {
                table.add(name, value(key)?.formatted(decimals: 3) ?? "-", unit)
            }
            return table.text
        }
    }
}
