import Devices
import Foundation

/// Keeps something playing on a device: through the server's end and return and its changes of block size, until Ctrl-C or
/// its own end.
struct DeviceSession {
    enum Reason { case ended, serverGone, blockFramesChanged }

    /// Opens the device, the first time and again.
    let open: () throws(DeviceError) -> JackDevice
    /// Because the server came back, or changed its blocks.
    private(set) var restarts = 0

    private static let tick = 0.02
    private static let returnsWithin = 600.0

    init(open: @escaping () throws(DeviceError) -> JackDevice) { self.open = open }

    /// - Parameter play: plays until something happens; the device is closed after it.
    mutating func run(on first: JackDevice, play: (JackDevice) throws -> Reason) throws {
        try Interruption.deferring {
            var device: JackDevice? = first
            while let open = device {
                let reason = try play(open)
                open.close()
                device = nil
                switch reason {
                case .ended: return
                case .serverGone:
                    Terminal.note("The JACK server is gone. Waiting for its return; Ctrl-C ends.")
                    device = try reopen()
                case .blockFramesChanged:
                    Terminal.note("JACK's blocks have another size now; starting again with it.")
                    device = try self.open()
                }
                restarts += 1
            }
        }
    }

    /// Waits for a server; nil when that is broken off.
    private func reopen() throws -> JackDevice? {
        let began = Date()
        while !Interruption.take() {
            Thread.sleep(forTimeInterval: 0.5)
            do throws(DeviceError) {
                return try open()
            } catch {
                if error.code != .noServer && error.code != .refused { throw error }
                if -began.timeIntervalSinceNow > Self.returnsWithin { throw error }
            }
        }
        return nil
    }

    /// Looks after a device that plays, many times a second, until something happens. After Ctrl-C, or `end` frames, the
    /// sound fades.
    static func watch(
        _ device: JackDevice, until end: Int?, _ look: (DeviceStatus) throws -> Void
    ) throws -> Reason {
        var isStopping = false
        while true {
            Thread.sleep(forTimeInterval: tick)
            let status = device.status
            if !isStopping, Interruption.take() || status.frames >= end ?? .max {
                isStopping = true
                device.fadeOut()
            }
            try look(status)
            if status.hasShutDown { return isStopping ? .ended : .serverGone }
            if status.blockFrames != device.blockFrames { return .blockFramesChanged }
            if isStopping, device.hasFaded { return .ended }
        }
    }
}
