import Devices
import Player

/// What it takes to play live. Nothing else needs it, so it fails nothing: it is told.
enum LiveCheck {
    static func run(_ checks: inout [Check]) {
        checks.append(.passed("jack", jack()))
        checks.append(
            .passed(
                "real-time priority",
                LivePlayer.realtimeIsPermitted()
                    ? "permitted"
                    : "not permitted: `echoel play` runs like any other program, and may be late; permit it with the line "
                        + "`@audio - rtprio 95` in /etc/security/limits.d/audio.conf, and be in the group audio"
            ))
    }

    private static func jack() -> String {
        do throws(DeviceError) {
            let device = try JackDevice(name: "echoel-doctor")
            return "a server runs: \(device.sampleRate) Hz, \(device.blockFrames) frames a block"
        } catch {
            return error.code == .noServer
                ? "installed; no server runs, which `echoel play` needs" : error.description
        }
    }
}
