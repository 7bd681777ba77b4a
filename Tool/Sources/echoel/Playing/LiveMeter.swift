import Devices
import Foundation
import Player

/// One line on standard error while something is played: voices, level, how long a block takes, and what went wrong. In
/// a pipe, only what goes wrong.
struct LiveMeter {
    private var shown = Date.distantPast
    private var peak: Float = 0
    private var isLineShown = false
    private var missed = 0

    mutating func update(live: LiveStatus, device: DeviceStatus) {
        peak = max(peak, live.level)
        guard -shown.timeIntervalSinceNow >= (Terminal.isErrorInteractive ? 0.1 : 1) else { return }
        shown = Date()
        if Terminal.isErrorInteractive {
            isLineShown = true
            Terminal.noteRaw("\r\(Self.line(live: live, device: device, peak: peak))\u{1B}[K")
        } else if live.missedFrames > missed {
            Terminal.note("late: \(live.missedFrames - missed) frames concealed")
        }
        missed = live.missedFrames
        peak = 0
    }

    /// For example ` 5 voices  -12.3 dB  CPU 3 % (worst 11 %)  late 0  xruns 0`.
    static func line(live: LiveStatus, device: DeviceStatus, peak: Float) -> String {
        let level = peak > 0 ? "\(Double(20 * log10(peak)).formatted(decimals: 1)) dB" : "silent"
        let load = (100 * device.load).formatted(decimals: 0)
        let worst = (100 * device.worstLoad).formatted(decimals: 0)
        return
            "\(live.voices) voices  \(level)  CPU \(load) % (worst \(worst) %)  late \(live.missedFrames)  "
            + "xruns \(device.xruns)\(device.isFreewheeling ? "  freewheeling" : "")"
    }

    mutating func finish() {
        if isLineShown { Terminal.noteRaw("\r\u{1B}[K") }
        isLineShown = false
    }
}
