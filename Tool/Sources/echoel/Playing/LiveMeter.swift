import Devices
import Foundation
import Realtime

/// One line on standard error while something is played: level, how long a block takes, and what went wrong. In
/// a pipe, only what goes wrong.
struct LiveMeter {
    private var shown = Date.distantPast
    private var peak: Float = 0
    private var isLineShown = false
    private var missed = 0
    private var slack: Slack?

    /// - Parameters:
    ///   - what: comes first, such as how many voices there are.
    ///   - level: of what is heard, 1 = full scale.
    ///   - missed: frames that were concealed so far.
    ///   - slack: what time workers had left so far; the least since the last line is shown.
    mutating func update(
        _ what: String, level: Float, missed frames: Int, slack now: Slack?, device: DeviceStatus
    ) {
        peak = max(peak, level)
        guard -shown.timeIntervalSinceNow >= (Terminal.isErrorInteractive ? 0.1 : 1) else { return }
        shown = Date()
        if Terminal.isErrorInteractive {
            isLineShown = true
            let least = now.flatMap { (slack.map($0.since) ?? $0).milliseconds(allBut: 0) }
            let line = Self.line(what, peak: peak, missed: frames, slackMilliseconds: least, device: device)
            Terminal.noteRaw("\r\(line)\u{1B}[K")
        } else if frames > missed {
            Terminal.note("late: \(frames - missed) frames concealed")
        }
        missed = frames
        slack = now
        peak = 0
    }

    /// For example `5 voices  -12.3 dB  CPU 3 % (worst 11 %)  slack 3.7 ms  late 0  xruns 0`.
    static func line(
        _ what: String, peak: Float, missed: Int, slackMilliseconds: Double?, device: DeviceStatus
    ) -> String {
        let load = (100 * device.load).formatted(decimals: 0)
        let worst = (100 * device.worstLoad).formatted(decimals: 0)
        let slack = slackMilliseconds.map { $0 < 0 ? "none" : "\($0.formatted(decimals: 1)) ms" } ?? "–"
        return
            "\(what)  \(decibels(peak))  CPU \(load) % (worst \(worst) %)  slack \(slack)  late \(missed)  "
            + "xruns \(device.xruns)\(device.isFreewheeling ? "  freewheeling" : "")"
    }

    /// For example `-12.3 dB`, or `silent`.
    static func decibels(_ level: Float) -> String {
        level > 0 ? "\(Double(20 * log10(level)).formatted(decimals: 1)) dB" : "silent"
    }

    mutating func finish() {
        if isLineShown { Terminal.noteRaw("\r\u{1B}[K") }
        isLineShown = false
    }
}
