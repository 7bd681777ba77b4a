import Inference

/// Two models' times, measured in turns, so that what else the machine does meets both alike. Of a turn the lower quartile
/// counts: other work only ever adds.
struct Turns {
    /// Milliseconds of a run, medians over all.
    let before, after: Double
    /// After through before: the median over the turns.
    let ratio: Double

    /// - Parameter seconds: for both together, at least; in ten turns or more.
    init(_ before: Session, _ after: Session, sizes: [String: Int], seconds: Double) throws {
        let trials = try [before, after].map { try LatencyTrial($0, dimensions: Self.sizes(of: $0, sizes)) }
        for trial in trials { for _ in 0..<3 { _ = try trial.run() } }
        let share = seconds * 1000 / Double(2 * Self.turns)
        var times: [[Double]] = [[], []]
        var ratios: [Double] = []
        for turn in 0..<Self.turns {
            var quartiles = [0.0, 0.0]
            for which in turn.isMultiple(of: 2) ? [0, 1] : [1, 0] {
                var (own, spent) = ([Double](), 0.0)
                repeat {
                    own.append(try trials[which].run())
                    spent += own.last ?? 0
                } while spent < share || own.count < 3
                times[which] += own
                quartiles[which] = own.quantile(0.25)
            }
            if quartiles[0] > 0 { ratios.append(quartiles[1] / quartiles[0]) }
        }
        self.before = times[0].quantile(0.5)
        self.after = times[1].quantile(0.5)
        ratio = ratios.isEmpty ? 1 : ratios.quantile(0.5)
    }

    private static let turns = 12

    /// Those that the model leaves open.
    private static func sizes(of session: Session, _ sizes: [String: Int]) -> [String: Int] {
        var open: Set<String> = []
        for axis in session.inputs.flatMap(\.shape) {
            for name in sizes.keys where axis.mentions(name) {
                open.insert(name)
            }
        }
        return sizes.filter { open.contains($0.key) }
    }
}

extension Dimension {
    fileprivate func mentions(_ name: String) -> Bool {
        guard case .dynamic(let text?) = self else { return false }
        return text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }.contains { $0 == name }
    }
}

extension [Double] {
    /// The value that such a part of them is below; 0 of none.
    fileprivate func quantile(_ part: Double) -> Double {
        let sorted = sorted()
        return isEmpty ? 0 : sorted[Int(part * Double(count - 1))]
    }
}
