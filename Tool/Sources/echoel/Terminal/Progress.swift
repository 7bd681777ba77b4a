import Foundation

/// A progress bar on standard error with the rate and the time that remains; in a pipe, a plain line now and then.
struct Progress {
    /// What is counted.
    enum Measure {
        /// Seconds of sound.
        case sound
        /// Bytes of a download.
        case bytes
    }

    private let name: String
    /// In all, of what is counted.
    private let total: Double
    private let measure: Measure
    private let isInteractive: Bool
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var lastShown: ContinuousClock.Instant
    private var isBarShown = false

    init(
        _ name: String, total: Double, of measure: Measure = .sound,
        isInteractive: Bool = Terminal.isErrorInteractive
    ) {
        // A line that wraps could not be drawn over.
        self.name = name.count > 24 ? "\(name.prefix(23))…" : name
        self.total = total
        self.measure = measure
        self.isInteractive = isInteractive
        start = clock.now
        lastShown = start
    }

    /// Seconds of work so far.
    var elapsedSeconds: Double { (clock.now - start) / .seconds(1) }

    /// - Parameter done: so far, of what is counted.
    mutating func update(_ done: Double) {
        let now = clock.now
        guard now - lastShown >= (isInteractive ? .milliseconds(100) : .seconds(10)) else { return }
        lastShown = now
        let line = Self.line(name, done, of: total, measure, elapsedSeconds: elapsedSeconds)
        if isInteractive {
            isBarShown = true
            Terminal.noteRaw("\r\(line)\u{1B}[K")
        } else {
            Terminal.note(line)
        }
    }

    /// Takes the bar away.
    mutating func finish() {
        if isBarShown { Terminal.noteRaw("\r\u{1B}[K") }
        isBarShown = false
    }

    /// For example `song.mid  [#########-----------]  45 %  12.3× real time  0:05 left`.
    static func line(
        _ name: String, _ done: Double, of total: Double, _ measure: Measure = .sound, elapsedSeconds: Double
    ) -> String {
        let fraction = total > 0 ? min(max(done / total, 0), 1) : 1
        let cells = 24
        let filled = Int(fraction * Double(cells))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled)
        var line = "\(name)  [\(bar)]  \(Int(fraction * 100)) %"
        guard elapsedSeconds > 0, done > 0 else { return line }
        let rate = done / elapsedSeconds
        switch measure {
        case .sound: line += "  \(rate.formatted(decimals: 1))× real time"
        case .bytes: line += "  \((rate / 1e6).formatted(decimals: 1)) MB/s"
        }
        line += "  \(clock(max(total - done, 0) / rate)) left"
        return line
    }

    /// `0:05`, `12:34`, `1:02:03`.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 359_999))
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}

extension Double {
    /// With a fixed number of decimals and a point, whatever the locale.
    func formatted(decimals: Int) -> String { String(format: "%.\(decimals)f", self) }

    /// Rounded so that JSON shows no more than `decimals`.
    func rounded(decimals: Int) -> Double {
        let scale = pow(10, Double(decimals))
        let value = (self * scale).rounded() / scale
        return value.isFinite ? value : self
    }
}
